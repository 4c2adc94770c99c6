import {
  type AttributesField,
  type AttributeValue,
  attributeAllowance,
  attributeTextRule,
  DEPTH_RULE,
  MAX_DEPTH,
  MAX_STRING_LENGTH,
  nameRule,
  TYPE_RULE,
} from '../../contract/attributes.ts';
import { DATE_RULE, formatDate } from '../../contract/date.ts';
import { wellFormed } from '../../contract/text.ts';

/** What was changed about one custom attribute so that its record could go. */
export type Repair = {
  /** The attribute, as `eventData.Price`. */
  readonly path: string;
  /** The rule it broke. */
  readonly rule: string;
  /** `kept`: nothing was changed, but WebEngage may not take it. */
  readonly done: 'cut' | 'left out' | 'kept';
};

/** Writes a date in WebEngage's format with the visitor's own UTC offset at that date. */
export function writeDate(date: Date): string | undefined {
  return formatDate(date.getTime(), -date.getTimezoneOffset());
}

// Values looked at for one record. Without it objects that share references, as a framework's nodes do, are walked along
// every path through them, and the page stands still.
const MAX_VALUES = 2_000;
const VALUES_RULE = `must hold at most ${MAX_VALUES} values`;

/**
 * The custom attributes as the contract takes them, so that one bad attribute does not cost the record.
 * A snapshot, as plain JSON: reads the caller's object once, at the call. Never throws, whatever is in it. What is
 * undefined was not given; of all else that can't go, `tell` is told.
 */
export function repairAttributes(
  attributes: object,
  field: AttributesField,
  tell: (repair: Repair) => void,
): { readonly [name: string]: AttributeValue } {
  const allowance = attributeAllowance(field);
  let seen = 0;

  const leftOut = (path: string, rule: string): undefined => {
    tell({ path, rule, done: 'left out' });
  };

  function repair(value: unknown, path: string, around: readonly object[]): AttributeValue | undefined {
    seen += 1;
    if (typeof value === 'string') {
      const rule = attributeTextRule(value);
      if (!rule) return value;
      tell({ path, rule, done: 'cut' });
      // The cut may fall within a surrogate pair: its first half goes too.
      return wellFormed(value.slice(0, MAX_STRING_LENGTH));
    }
    if (typeof value === 'boolean' || value === undefined) return value;
    // Nothing but a number is finite.
    if (Number.isFinite(value)) return value as number;
    if (typeof value !== 'object' || value === null) return leftOut(path, TYPE_RULE);
    if (value instanceof Date) return writeDate(value) ?? leftOut(path, DATE_RULE);
    if (around.includes(value) || around.length >= MAX_DEPTH) return leftOut(path, DEPTH_RULE);
    // Bytes are nothing that WebEngage has a type for.
    if (ArrayBuffer.isView(value)) return leftOut(path, TYPE_RULE);
    if ((Array.isArray(value) ? value.length : seen) > MAX_VALUES) return leftOut(path, VALUES_RULE);
    if ('toJSON' in value && typeof value.toJSON === 'function')
      return repair(value.toJSON(), path, [...around, value]);
    const entries = entriesOf(value, path, around);
    return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
  }

  function entriesOf(of: object, path: string, around: readonly object[]): [string, AttributeValue][] {
    const entries: [string, AttributeValue][] = [];
    const inside = [...around, of];
    const isOutermost = of === attributes;

    for (const [index, name] of Object.keys(of).entries()) {
      // One attribute that has them all costs the others nothing.
      if ((isOutermost ? index : seen) > MAX_VALUES) {
        leftOut(path, VALUES_RULE);
        break;
      }
      const there = `${path}.${name}`;
      const ofName = (isOutermost ? nameRule : attributeTextRule)(name);
      let rule = ofName && `has a name that ${ofName}`;
      try {
        const value = ofName ? undefined : repair(Reflect.get(of, name), there, inside);
        if (value !== undefined) {
          rule = isOutermost ? allowance(value) : undefined;
          if (!rule) entries.push([name, value]);
        }
      } catch {
        rule = 'must be readable';
      }
      if (rule) leftOut(there, rule);
    }
    return entries;
  }

  return Object.fromEntries(entriesOf(attributes, field, []));
}
