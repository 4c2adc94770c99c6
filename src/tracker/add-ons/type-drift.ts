import { type AttributeType, typeOfAttribute } from '../../contract/attributes.ts';
import type { Fields } from './make-record.ts';
import type { Repair } from './repair.ts';

// Names are the site's own and few; a site that makes them up as it goes must not fill the page's memory.
const MAX_NAMES = 1_000;

/**
 * Watches for attributes whose type changes: the first value ever seen fixes it at WebEngage, and later values of
 * another type stop flowing there, in silence. Knows what this page load has seen.
 */
export function typeDrift(): (of: string, fields: Fields) => readonly Repair[] {
  const firstSeen = new Map<string, AttributeType>();

  return (of, fields) => {
    const [field, attributes = {}] =
      fields.kind === 'user' ? ['attributes', fields.attributes] : ['eventData', fields.eventData];
    return Object.entries(attributes).flatMap(([name, value]): Repair[] => {
      const key = `${of}\n${name}`;
      const type = typeOfAttribute(value);
      const first = firstSeen.get(key) ?? type;
      if (firstSeen.size < MAX_NAMES) firstSeen.set(key, first);
      return first === type
        ? []
        : [{ path: `${field}.${name}`, rule: `was a ${first} before, and is a ${type} now`, done: 'kept' }];
    });
  };
}
