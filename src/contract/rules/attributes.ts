import { isDate } from './date.ts';
import { type Rule, textRule } from './rule.ts';
import { lengthRule, utf8Bytes } from './text.ts';

/**
 * The value of a custom attribute. A date is a string in WebEngage's format. Null is not allowed: its effect
 * in WebEngage is undocumented.
 */
export type AttributeValue =
  | string
  | number
  | boolean
  | readonly AttributeValue[]
  | { readonly [name: string]: AttributeValue };

export type Attributes = { readonly [name: string]: AttributeValue };

/** The rule for the field that holds custom attributes. */
export const ATTRIBUTES_RULE = 'must be an object';

/** True for a value that can hold custom attributes, valid or not. */
export function isPlainObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** WebEngage's data types. The first type WebEngage sees for an attribute is final. */
export type AttributeType = 'string' | 'number' | 'boolean' | 'date' | 'array' | 'object';

/** The field that holds custom attributes: of a user, or of an event. */
export type AttributesField = 'attributes' | 'eventData';

/**
 * The longest name of an event, or of an attribute of an event or user: "less than 50 characters".
 * https://docs.webengage.com/docs/events
 */
export const MAX_NAME_LENGTH = 49;

/** The longest string WebEngage keeps, in UTF-16 units: "less than 1,000 characters". It cuts a user's silently. */
export const MAX_STRING_LENGTH = 999;

/** Custom attributes of one data type on one record. */
export const MAX_PER_TYPE = 25;

// Our own limit, not WebEngage's: no body may exhaust the stack of the code that checks it.
export const MAX_DEPTH = 16;

/**
 * The total size as JSON of all arrays and objects in one record. A user's limit is WebEngage's. An event's
 * is ours, so that the event fits a request.
 */
const MAX_NESTED_BYTES: Record<AttributesField, number> = { attributes: 16 * 1024, eventData: 64 * 1024 };

/** The rule for values that have a type at WebEngage. Null, NaN and functions have no type there. */
export const TYPE_RULE = 'must be a string, finite number, boolean, array or object';

/** The rule for nested arrays and objects. A value that contains itself breaks it too, as its nesting never ends. */
export const DEPTH_RULE = `must nest at most ${MAX_DEPTH} levels, without a cycle`;

/** The rule for text in an attribute, and for the names inside one. */
export const attributeTextRule: Rule<string> = lengthRule(0, MAX_STRING_LENGTH);

const nameLengthRule = lengthRule(1, MAX_NAME_LENGTH);
const prefixRule = textRule('must not start with we_', /^(?!we_)/);

/** The rule for the name of an event or attribute. */
export const nameRule: Rule<string> = (name) => nameLengthRule(name) ?? prefixRule(name);

/** WebEngage's type of a valid attribute value: plain JSON without null. */
export function typeOfAttribute(value: AttributeValue): AttributeType {
  if (typeof value === 'string' && isDate(value)) return 'date';
  // For these values `typeof` returns nothing but the names of our types.
  return Array.isArray(value) ? 'array' : (typeof value as AttributeType);
}

/**
 * Keeps the counts that apply across all attributes of one record.
 * Call it once for each attribute, in order. It returns the rule that one more attribute breaks, or undefined.
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
