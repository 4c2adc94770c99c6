import {
  type Attributes,
  type AttributesField,
  type AttributeType,
  typeOfAttribute,
} from '../../contract/rules/attributes.ts';
import type { Repair } from '../record/outcome.ts';

// Names are the site's own and few; a site that makes them up as it goes must not fill the page's memory.
const MAX_NAMES = 1_000;

/**
 * Watches for attributes whose type changes: the first value ever seen fixes it at WebEngage, and later values of
 * another type stop flowing there, in silence. Knows what this page load has seen.
 */
export function typeDrift(): (
  record: string,
  field: AttributesField,
  attributes: Attributes,
) => readonly Repair[] {
  const firstSeen = new Map<string, AttributeType>();

  return (record, field, attributes) => {
    const drifted: Repair[] = [];
    for (const [name, value] of Object.entries(attributes)) {
      const key = `${record}\n${name}`;
      const type = typeOfAttribute(value);
      const first = firstSeen.get(key) ?? type;
      if (firstSeen.size < MAX_NAMES) firstSeen.set(key, first);
      if (first !== type)
        drifted.push({
          path: `${field}.${name}`,
          rule: `was a ${first} before, and is a ${type} now`,
          done: 'kept',
        });
    }
    return drifted;
  };
}
