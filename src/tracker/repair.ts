import {
  type AttributeValue,
  attributeAllowance,
  MAX_DEPTH,
  MAX_STRING_LENGTH,
  nameFault,
  typeOfAttribute,
} from '../contract/attributes.ts';
import { formatDate } from '../contract/date.ts';
import { textFault, toWellFormed } from '../contract/text.ts';

/** What was changed about one custom attribute so that its record could go. */
export type Repair = {
  /** The attribute, as `eventData.Price`. */
  readonly path: string;
  /** The rule it broke. */
  readonly rule: string;
  /** `kept`: nothing was changed, but WebEngage may not take it. */
  readonly done: 'cut' | 'left out' | 'kept';
};

type Tell = (repair: Repair) => void;

/** Writes a date in WebEngage's format with the visitor's own UTC offset at that date. */
export function writeDate(date: Date): string | undefined {
  return formatDate(date.getTime(), -date.getTimezoneOffset());
}

function repairString(text: string, path: string, tell: Tell): string {
  const rule = textFault(text, MAX_STRING_LENGTH);
  if (rule === undefined) return text;
  tell({ path, rule, done: 'cut' });
  // The cut may fall within a surrogate pair: its first half goes too.
  return toWellFormed(text.slice(0, MAX_STRING_LENGTH).replace(/[\ud800-\udbff]$/, ''));
}

/**
 * A value as the contract takes it: a snapshot, as plain JSON.
 * Undefined where nothing of it can go; `tell` has been told why, unless the value was undefined to begin with.
 */
function repairValue(
  value: unknown,
  path: string,
  around: readonly object[],
  tell: Tell,
): AttributeValue | undefined {
  const leaveOut = (rule: string) => {
    tell({ path, rule, done: 'left out' });
    return undefined;
  };

  if (typeof value === 'string') return repairString(value, path, tell);
  if (typeof value === 'boolean' || value === undefined) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : leaveOut('must be a finite number');
  if (typeof value !== 'object' || value === null) return leaveOut('must be of a type that WebEngage has');
  if (value instanceof Date) return writeDate(value) ?? leaveOut('must be a valid date');
  if (around.includes(value)) return leaveOut('must not contain itself');
  if (around.length >= MAX_DEPTH - 1) return leaveOut(`must not nest deeper than ${MAX_DEPTH} levels`);

  const inside = [...around, value];
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return repairValue(value.toJSON(), path, inside, tell);
  if (Array.isArray(value))
    return value.flatMap((item, index) => repairValue(item, `${path}.${index}`, inside, tell) ?? []);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const repaired = repairValue(inner, `${path}.${name}`, inside, tell);
      return repaired === undefined ? [] : [[name, repaired]];
    }),
  );
}

/**
 * The custom attributes as the contract takes them, so that one bad attribute does not cost the record.
 * Reads the caller's object once, at the call; never throws, whatever is in it.
 */
export function repairAttributes(
  attributes: object,
  field: 'attributes' | 'eventData',
  tell: Tell,
): { readonly [name: string]: AttributeValue } {
  const allowance = attributeAllowance(field === 'attributes' ? 'user' : 'event');

  return Object.fromEntries(
    Object.keys(attributes).flatMap((name): [string, AttributeValue][] => {
      const path = `${field}.${name}`;
      const leaveOut = (rule: string): [] => {
        tell({ path, rule, done: 'left out' });
        return [];
      };
      const ofName = nameFault(name);
      if (ofName !== undefined) return leaveOut(`has a name that ${ofName}`);
      try {
        const value = repairValue(Reflect.get(attributes, name), path, [], tell);
        const type = typeOfAttribute(value);
        if (value === undefined || type === undefined) return [];
        const ofCount = allowance(type, value);
        return ofCount === undefined ? [[name, value]] : leaveOut(ofCount);
      } catch {
        return leaveOut('must be readable');
      }
    }),
  );
}
