import { isDate } from './date.ts';
import { type Rule, textRule } from './rule.ts';
import { lengthRule, utf8Bytes } from './text.ts';

/** What a custom attribute may hold. A date is a string in WebEngage's form. There is no null: nobody knows what it does. */
export type AttributeValue =
  | string
  | number
  | boolean
  | readonly AttributeValue[]
  | { readonly [name: string]: AttributeValue };

export type Attributes = { readonly [name: string]: AttributeValue };

/** The rule of the field that holds custom attributes. */
export const ATTRIBUTES_RULE = 'must be an object';

/** Whether a value can hold custom attributes, good or bad. */
export function isPlainObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** WebEngage's data types. The first one ever seen for an attribute holds for good. */
export type AttributeType = 'string' | 'number' | 'boolean' | 'date' | 'array' | 'object';

/** The field that holds them: a user's, or an event's. */
export type AttributesField = 'attributes' | 'eventData';

/**
 * Longest name, of an event, an event's attribute or a user's: "less than 50 characters".
 * https://docs.webengage.com/docs/events
 */
export const MAX_NAME_LENGTH = 49;

/** Longest string WebEngage keeps, in UTF-16 units: "less than 1,000 characters". It cuts a user's in silence. */
export const MAX_STRING_LENGTH = 999;

/** Custom attributes of one data type on one record. */
export const MAX_PER_TYPE = 25;

// Not WebEngage's: a bound, so that no body can exhaust the stack of whoever checks it.
export const MAX_DEPTH = 16;

/** All arrays and objects of one record together, as JSON. A user's is WebEngage's; an event's ours, to fit a request. */
const MAX_NESTED_BYTES: Record<AttributesField, number> = { attributes: 16 * 1024, eventData: 64 * 1024 };

/** The rule of what has a type at WebEngage; null, NaN and functions have none. */
export const TYPE_RULE = 'must be a string, finite number, boolean, array or object';

/** The rule of arrays and objects in each other. One that holds itself breaks it too: it has no end. */
export const DEPTH_RULE = `must nest at most ${MAX_DEPTH} levels, and not in itself`;

/** The rule of text in an attribute, and of the names within one. */
export const attributeTextRule: Rule<string> = lengthRule(0, MAX_STRING_LENGTH);

const nameLengthRule = lengthRule(1, MAX_NAME_LENGTH);
const prefixRule = textRule('must not start with we_', /^(?!we_)/);

/** The rule of the name of an event or attribute. */
export const nameRule: Rule<string> = (name) => nameLengthRule(name) ?? prefixRule(name);

/** WebEngage's type of a value that it has a type for: plain JSON without null. */
export function typeOfAttribute(value: AttributeValue): AttributeType {
  if (typeof value === 'string' && isDate(value)) return 'date';
  // Of what a value may be, `typeof` has no other words.
  return Array.isArray(value) ? 'array' : (typeof value as AttributeType);
}

/**
 * Keeps the counts that hold across the attributes of one record.
 * Called once for each attribute, in order; answers what is wrong with taking this one too.
 */
export function attributeAllowance(field: AttributesField): (value: AttributeValue) => string | undefined {
  const counts: Partial<Record<AttributeType, number>> = {};
  let bytes = 0;
  return (value) => {
    const type = typeOfAttribute(value);
    const count = (counts[type] ?? 0) + 1;
    if (count > MAX_PER_TYPE) return `must be one of at most ${MAX_PER_TYPE} of type ${type}`;
    const together = bytes + (typeof value === 'object' ? utf8Bytes(JSON.stringify(value)) : 0);
    const most = MAX_NESTED_BYTES[field];
    if (together > most) return `must be one of at most ${most} bytes of arrays and objects`;
    counts[type] = count;
    bytes = together;
    return undefined;
  };
}
