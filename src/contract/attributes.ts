import { parseDate } from './date.ts';
import { textFault, utf8Bytes } from './text.ts';

/** What a custom attribute may hold. A date is a string in WebEngage's form. There is no null: nobody knows what it does. */
export type AttributeValue =
  | string
  | number
  | boolean
  | readonly AttributeValue[]
  | { readonly [name: string]: AttributeValue };

export type Attributes = { readonly [name: string]: AttributeValue };

/** WebEngage's data types. The first one ever seen for an attribute holds for good. */
export type AttributeType = 'String' | 'Number' | 'Boolean' | 'Date' | 'Array' | 'Object';

/** Whose attributes. */
export type AttributeOwner = 'user' | 'event';

// "Less than 50 characters", of event, event attribute and user attribute names.
// https://docs.webengage.com/docs/events
const MAX_NAME_LENGTH = 49;

/** Longest string WebEngage keeps, in UTF-16 units: "less than 1,000 characters". It cuts a user's in silence. */
export const MAX_STRING_LENGTH = 999;

// Custom attributes of one data type on one record.
const MAX_PER_TYPE = 25;

// Not WebEngage's: a bound, so that no body can exhaust the stack of whoever checks it.
export const MAX_DEPTH = 16;

/** All arrays and objects of one record together, as JSON. A user's is WebEngage's; an event's ours, to fit a request. */
const MAX_NESTED_BYTES: Record<AttributeOwner, number> = { user: 16 * 1024, event: 64 * 1024 };

/** The rule a name of an event or attribute breaks, or undefined. */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  if (name.startsWith('we_')) return 'must not start with we_';
  return textFault(name, MAX_NAME_LENGTH);
}

/** WebEngage's type of a value; undefined for what it has no type for (null, NaN, functions). */
export function typeOfAttribute(value: unknown): AttributeType | undefined {
  if (typeof value === 'string') return parseDate(value) ? 'Date' : 'String';
  if (typeof value === 'number') return Number.isFinite(value) ? 'Number' : undefined;
  if (typeof value === 'boolean') return 'Boolean';
  if (Array.isArray(value)) return 'Array';
  return typeof value === 'object' && value !== null ? 'Object' : undefined;
}

/**
 * Keeps the counts that hold across the attributes of one record.
 * Called once for each attribute, in order; answers what is wrong with taking this one too.
 */
export function attributeAllowance(
  owner: AttributeOwner,
): (type: AttributeType, value: unknown) => string | undefined {
  const counts: Partial<Record<AttributeType, number>> = {};
  let bytes = 0;
  return (type, value) => {
    const size = typeof value === 'object' ? utf8Bytes(JSON.stringify(value)) : 0;
    if ((counts[type] ?? 0) >= MAX_PER_TYPE) return `must be one of at most ${MAX_PER_TYPE} of type ${type}`;
    if (bytes + size > MAX_NESTED_BYTES[owner])
      return `must fit, with all arrays and objects, into ${MAX_NESTED_BYTES[owner]} bytes`;
    counts[type] = (counts[type] ?? 0) + 1;
    bytes += size;
    return undefined;
  };
}
