import {
  type Attributes,
  type AttributesField,
  type AttributeType,
  typeOfAttribute,
} from '../../contract/rules/attributes.ts';
import type { Repair } from '../record/outcome.ts';

// A site's own names are few. A site that generates names must not fill the page's memory.
const MAX_NAMES = 1_000;

/**
 * Reports attributes whose type changes within this page load.
 *
 * WebEngage fixes the type by the first value it ever sees, and silently drops later values of another type.
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
