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

// Values looked at for one record. Without it objects that share references, as a framework's nodes do, are walked along
// every path through them, and the page stands still.
const MAX_VALUES = 2_000;

/**
 * Repairs the values of one record: each a snapshot, as plain JSON, as the contract takes it.
 * Undefined where nothing of a value can go; `tell` has been told why, unless it was undefined to begin with.
 */
function valueRepairer(tell: Tell) {
  let seen = 0;

  return function repair(
    value: unknown,
    path: string,
    around: readonly object[] = [],
  ): AttributeValue | undefined {
    const leaveOut = (rule: string) => {
      tell({ path, rule, done: 'left out' });
      return undefined;
    };
    seen += 1;

    if (typeof value === 'string') return repairString(value, path, tell);
    if (typeof value === 'boolean' || value === undefined) return value;
    if (typeof value === 'number')
      return Number.isFinite(value) ? value : leaveOut('must be a finite number');
    if (typeof value !== 'object' || value === null) return leaveOut('must be of a type that WebEngage has');
    if (value instanceof Date) return writeDate(value) ?? leaveOut('must be a valid date');
    if (around.includes(value)) return leaveOut('must not contain itself');
    if (around.length >= MAX_DEPTH - 1) return leaveOut(`must not nest deeper than ${MAX_DEPTH} levels`);
    if (seen > MAX_VALUES) return leaveOut(`must hold at most ${MAX_VALUES} values`);

    const inside = [...around, value];
    if ('toJSON' in value && typeof value.toJSON === 'function') return repair(value.toJSON(), path, inside);
    const repaired = Object.entries(value).flatMap(([name, inner]): [string, AttributeValue][] => {
      if (textFault(name, MAX_STRING_LENGTH) !== undefined)
        return leaveOut('must have well-formed names') ?? [];
      const good = repair(inner, `${path}.${name}`, inside);
      return good === undefined ? [] : [[name, good]];
    });
    return Array.isArray(value) ? repaired.map(([, item]) => item) : Object.fromEntries(repaired);
  };
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
  const repair = valueRepairer(tell);

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
        const value = repair(Reflect.get(attributes, name), path);
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
