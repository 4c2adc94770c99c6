import { utf8Bytes } from '../../contract/text.ts';
import { toJsonOf } from './to-json.ts';
import { writeDate } from './write-date.ts';

/** A difference between what was given and what is kept. */
export type Difference = {
  /** Where it is, as `eventData.Price`. */
  readonly path: string;
  /** The rule that the value breaks. */
  readonly rule: string;
  readonly done: 'cut' | 'left_out';
};

/** The name of a property, and its value as JSON. */
export type Field = readonly [name: string, json: string];

/** An object under copy, within the one that holds it. */
type Container = { readonly value: object; readonly outer: Container | undefined };

// Built-ins as they were when the script loaded: a page may replace them later.
const { apply } = Reflect;
const { stringify } = JSON;
const { isArray } = Array;
const { getPrototypeOf, hasOwn, keys } = Object;
const { toString } = Object.prototype;
const { slice } = String.prototype;

const DATE = '[object Date]';

/** Unwraps `new Number(1)` and its like, and a `Date` to its milliseconds. */
const UNWRAP: { readonly [tag: string]: (() => unknown) | undefined } = {
  '[object Number]': Number.prototype.valueOf,
  '[object String]': String.prototype.valueOf,
  '[object Boolean]': Boolean.prototype.valueOf,
  [DATE]: Date.prototype.valueOf as () => unknown,
};

// WebEngage keeps strings of "less than 1,000 characters".
const MAX_LENGTH = 999;
const MAX_DEPTH = 16;
// Without it objects that share references, as a framework's nodes do, are walked along every path through them.
const MAX_VALUES = 2_000;
// A record always fits a request that outlives its page: browsers take 65,536 bytes of them.
const MAX_BYTES = 45_000;
// A property that holds too much costs its neighbours nothing, unless there are this many of them.
const MAX_OVERSIZED = 9;

const LENGTH_RULE = `must have at most ${MAX_LENGTH} characters`;
const TYPE_RULE = 'must be a string, finite number, boolean, valid date, array or plain object';
const SIZE_RULE = `must hold at most ${MAX_VALUES} values in ${MAX_DEPTH} levels and ${MAX_BYTES} bytes, and not itself`;

/** Cuts text to the longest that is kept, never within a surrogate pair. */
function cut(text: string): string {
  const last = text[MAX_LENGTH - 1] ?? '';
  return apply(slice, text, [0, MAX_LENGTH - (last >= '\ud800' && last < '\udc00' ? 1 : 0)]);
}

/** A plain object has no prototype, or `Object.prototype` of any realm. */
function isPlain(value: object): boolean {
  const parent = getPrototypeOf(value);
  return !parent || !getPrototypeOf(parent);
}

function write(fields: readonly Field[], isList: boolean): string {
  let text = '';
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? ['', ''];
    text += (text && ',') + (isList ? '' : `${stringify(field[0])}:`) + field[1];
  }
  return isList ? `[${text}]` : `{${text}}`;
}

/**
 * Own properties of a given object as safe JSON texts, in order. It reads each once, and never throws.
 * `[]` where it is no object that can be taken, which is told; undefined and null are not given, which is not.
 */
export function copyFields(
  given: unknown,
  path: string,
  tell: (difference: Difference) => void,
): readonly Field[] {
  let taken: readonly Field[] = [];
  let values = 0;
  let bytes = 0;
  let oversized = 0;

  const leaveOut = (path: string, rule: string): undefined => tell({ path, rule, done: 'left_out' }) as undefined;

  const kept = (text: string): string => {
    bytes += utf8Bytes(text);
    return text;
  };

  /** Makes a copy within the limits, or none. */
  function attempt(make: () => string | undefined, path: string, outer?: Container): string | undefined {
    const valuesBefore = values;
    const bytesBefore = bytes;
    let json: string | undefined;
    try {
      json = make();
    } catch {
      leaveOut(path, 'must be readable');
    }
    // The smallest parts that go as a whole: what the given object holds, and what that holds.
    if (!outer?.outer?.outer && (values > MAX_VALUES || bytes > MAX_BYTES)) {
      json = leaveOut(path, SIZE_RULE);
      values = oversized++ < MAX_OVERSIZED ? valuesBefore : MAX_VALUES;
    }
    if (json === undefined) bytes = bytesBefore;
    return json;
  }

  function copy(value: unknown, path: string, outer?: Container, isAnswer?: boolean): string | undefined {
    if (typeof value === 'string') {
      if (value.length > MAX_LENGTH) {
        tell({ path, rule: LENGTH_RULE, done: 'cut' });
        value = cut(value);
      }
      return kept(stringify(value));
    }
    if (typeof value === 'boolean' || (typeof value === 'number' && value - value === 0)) return kept(`${value}`);
    if (typeof value !== 'object' || value === null) return leaveOut(path, TYPE_RULE);
    const tag: string = apply(toString, value, []);
    const unwrap = UNWRAP[tag];
    if (unwrap) {
      const inner = apply(unwrap, value, []);
      return copy(tag === DATE ? writeDate(inner as number) : inner, path);
    }
    const toJson = isAnswer ? undefined : toJsonOf(value);
    if (toJson) return copy(apply(toJson, value, []), path, outer, true);
    for (let around = outer, depth = 0; around; around = around.outer)
      if (around.value === value || ++depth > MAX_DEPTH) return leaveOut(path, SIZE_RULE);
    return isArray(value) || tag === '[object Object]' ? copyAll({ value, outer }, path) : leaveOut(path, TYPE_RULE);
  }

  function copyAll(container: Container, path: string): string | undefined {
    const value = container.value as { readonly [name: string]: unknown };
    const isList = isArray(value);
    if (values >= MAX_VALUES) values += 1;
    const names = isList || values > MAX_VALUES ? value : keys(value);
    const length = names.length as number;
    values += length;
    if (values > MAX_VALUES) return undefined;
    if (!isList && !length && !isPlain(value)) return leaveOut(path, TYPE_RULE);

    const fields: Field[] = [];
    for (let i = 0; i < length; i++) {
      const name = (isList ? `${i}` : names[i]) as string;
      const there = path ? `${path}.${name}` : name;
      if (name === '__proto__') leaveOut(there, 'must not be named __proto__')
      else {
        const json = attempt(() => {
          const inner = hasOwn(value, name) ? value[name] : undefined;
          if (inner === undefined && !isList) return undefined;
          kept(isList ? ',' : `${stringify(name)}:,`);
          return copy(inner, there, container);
        }, there, container);
        if (json) fields[fields.length] = [name, json];
      }
    }
    kept('{}');
    taken = fields;
    return write(fields, isList);
  }

  if (given === undefined || given === null) return taken;
  const json = attempt(() => copy(given, path), path);
  if (json?.[0] === '{') return taken;
  if (json) leaveOut(path, TYPE_RULE);
  return [];
}

/** Writes `{…}` of such fields. */
export function toJsonObject(fields: readonly Field[]): string {
  return write(fields, false);
}
