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
type Container = { readonly value: object; readonly path: string; readonly outer?: Container };

// Built-ins as they were when the script loaded: a page may replace them later.
const { apply } = Reflect;
const { stringify } = JSON;
const { isArray } = Array;
const { getPrototypeOf, hasOwn, keys } = Object;
const { toString: tagOf } = Object.prototype;
const { getTime } = Date.prototype;

// WebEngage keeps strings of "less than 1,000 characters".
const MAX_LENGTH = 999;
const MAX_DEPTH = 16;
// Objects that share references, as a framework's nodes do, would be walked along every path through them.
const MAX_VALUES = 2_000;
// A record always fits a request that outlives its page: browsers take 65,536 bytes of them.
const MAX_BYTES = 45_000;
// Parts that hold too much cost their neighbours nothing. Looking through many of them would hold up the page.
const MAX_OVERSIZED = 9;

const LENGTH_RULE = `must have at most ${MAX_LENGTH} characters`;
const TYPE_RULE = 'must be a string, finite number, boolean, valid date, array or plain object';
const SIZE_RULE = `must hold at most ${MAX_VALUES} values, ${MAX_DEPTH} levels and ${MAX_BYTES} bytes`;

/** Writes `{…}` of such fields. */
export function toJsonObject(fields: readonly Field[]): string {
  let text = '';
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? ['', ''];
    text += `${text && ','}${stringify(field[0])}:${field[1]}`;
  }
  return `{${text}}`;
}

/** Cuts text to the longest that is kept, never within a character of two units. */
function cut(text: string): string {
  return text.slice(0, (text.codePointAt(MAX_LENGTH - 1) ?? 0) > 0xffff ? MAX_LENGTH - 1 : MAX_LENGTH);
}

/** Whether an object is plain: of no prototype, or of `Object.prototype` in any realm. */
function isPlain(value: object): boolean {
  const parent = getPrototypeOf(value);
  return !parent || !getPrototypeOf(parent);
}

/** Reads an own property once; what is inherited means nothing. */
function read(value: object, name: string): unknown {
  return hasOwn(value, name) ? (value as { readonly [name: string]: unknown })[name] : undefined;
}

/**
 * Own properties of a given object as safe JSON texts, in order. It reads each once, and never throws.
 * `[]` where it is no object that can be taken, which is told; undefined and null are not given, which is not.
 */
export function copyFields(
  given: unknown,
  root: string,
  tell: (difference: Difference) => void,
): readonly Field[] {
  const fields: Field[] = [];
  let values = 0;
  let bytes = 0;
  let oversized = 0;

  function leaveOut(path: string, rule: string): undefined {
    tell({ path, rule, done: 'left_out' });
  }

  function kept(json: string): string {
    bytes += utf8Bytes(json);
    return json;
  }

  /** Copies a property within the limits, or not at all. `start` is what stands before it. */
  function copyProperty(container: Container, name: string, start: string): string | undefined {
    const { value, outer } = container;
    const path = container.path ? `${container.path}.${name}` : name;
    const before = { values, bytes };
    let json: string | undefined;
    try {
      kept(start);
      const item = read(value, name);
      if (name === '__proto__') leaveOut(path, 'must not be named __proto__');
      else if (item !== undefined || isArray(value)) json = copy(item, path, container);
    } catch {
      leaveOut(path, 'must be readable');
    }
    // An attribute goes as a whole. Those of a profile lie one level deeper.
    const isPart = root ? outer?.outer : outer?.outer?.outer;
    if (!isPart && (values > MAX_VALUES || bytes > MAX_BYTES)) {
      json = leaveOut(path, SIZE_RULE);
      oversized += 1;
      values = oversized > MAX_OVERSIZED ? MAX_VALUES : before.values;
    }
    if (json === undefined) bytes = before.bytes;
    return json;
  }

  function copy(value: unknown, path: string, outer: Container, isAnswer?: boolean): string | undefined {
    if (typeof value === 'boolean' || (typeof value === 'number' && value - value === 0))
      return kept(`${value}`);
    if (typeof value === 'string') {
      if (value.length > MAX_LENGTH) {
        tell({ path, rule: LENGTH_RULE, done: 'cut' });
        value = cut(value);
      }
      return kept(stringify(value));
    }
    if (typeof value !== 'object' || value === null) return leaveOut(path, TYPE_RULE);
    const tag: string = apply(tagOf, value, []);
    if (tag === '[object Date]') return copy(writeDate(apply(getTime, value, [])), path, outer);
    // `new Number(1)` and its like.
    if (/ (Boolean|Number|String)]/.test(tag)) return copy(value.valueOf(), path, outer);
    const toJson = isAnswer ? undefined : toJsonOf(value);
    if (toJson) return copy(apply(toJson, value, []), path, outer, true);
    return isArray(value) || tag === '[object Object]'
      ? copyAll({ value, path, outer })
      : leaveOut(path, TYPE_RULE);
  }

  function copyAll(container: Container): string | undefined {
    const { value, path, outer } = container;
    let depth = 0;
    for (let around = outer; around; around = around.outer) {
      if (around.value === value || depth > MAX_DEPTH) return leaveOut(path, SIZE_RULE);
      depth += 1;
    }
    const isList = isArray(value);
    const least = isList ? value.length : 1;
    values += least;
    if (values > MAX_VALUES) return undefined;
    const names = keys(value);
    if (!isList) values += names.length - least;
    if (values > MAX_VALUES) return undefined;
    if (!names.length && !isList && !isPlain(value)) return leaveOut(path, TYPE_RULE);

    let text = '';
    bytes += 2;
    for (let i = 0; i < (isList ? least : names.length); i++) {
      const name = isList ? `${i}` : (names[i] ?? '');
      const start = (text && ',') + (isList ? '' : `${stringify(name)}:`);
      const json = copyProperty(container, name, start);
      if (json !== undefined) {
        text += start + json;
        if (depth === 1) fields[fields.length] = [name, json];
      }
    }
    return isList ? `[${text}]` : `{${text}}`;
  }

  if (given === null) return fields;
  const json = copyProperty({ value: { [root]: given }, path: '' }, root, '');
  if (json?.[0] === '{') return fields;
  if (json) leaveOut(root, 'must be an object');
  return [];
}
