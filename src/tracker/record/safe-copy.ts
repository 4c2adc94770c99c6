import { utf8Bytes } from '../../contract/rules/text.ts';
import { apply, getPrototypeOf, getTime, hasOwn, isArray, keys, tagOf } from './built-ins.ts';
import { quote } from './quote.ts';
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

type Tell = (difference: Difference) => void;

/** The name of a property, and its value as JSON. */
export type Field = readonly [name: string, json: string];

/** An object under copy, within the one that holds it. */
type Container = {
  readonly value: object;
  readonly path: string;
  readonly depth: number;
  readonly outer?: Container;
};

// WebEngage keeps strings of "less than 1,000 characters".
const MAX_LENGTH = 999;
// As the relay takes them.
const MAX_LEVELS = 16;
// Objects that share references, as a framework's nodes do, would be walked along every path through them.
const MAX_VALUES = 2_000;
// A record always fits a request that outlives its page: browsers take 65,536 bytes of them.
const MAX_BYTES = 45_000;

const LENGTH_RULE = `must have at most ${MAX_LENGTH} characters`;
const TYPE_RULE = 'must be a string, finite number, boolean, valid date, array or plain object';
const SIZE_RULE = `must hold at most ${MAX_VALUES} values, ${MAX_LEVELS} levels and ${MAX_BYTES} bytes`;

// The depth of `attributes`, within a profile, and of `eventData`.
const ATTRIBUTES_DEPTH = 2;

/** Writes `{…}` of such fields. */
export function toJsonObject(fields: readonly Field[]): string {
  let text = '';
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? ['', ''];
    text += `${text && ','}${quote(field[0])}:${field[1]}`;
  }
  return `{${text}}`;
}

/** Cuts text to the longest that is kept. The cut may fall within a surrogate pair: its first half goes too. */
function cut(text: string): string {
  return text.slice(0, MAX_LENGTH).replace(/[\ud800-\udbff]$/, '');
}

/** Whether an object is plain: of no prototype, or of `Object.prototype` in any realm. */
function isPlain(value: object): boolean {
  const parent = getPrototypeOf(value);
  return !parent || !getPrototypeOf(parent);
}

/** Reads an own property once. Prototype.js 1.6 has an `Object.keys` that answers inherited names too. */
function read(value: object, name: string): unknown {
  return hasOwn(value, name) ? (value as { readonly [name: string]: unknown })[name] : undefined;
}

/** Whether an object lies too deep, or in itself. */
function isEndless({ value, depth, outer }: Container): boolean {
  for (let around = outer; around; around = around.outer) if (around.value === value) return true;
  return depth > MAX_LEVELS + 1;
}

/** A value as JSON, or the object to copy in its place; undefined where it can't be taken. */
function formOf(given: unknown, path: string, tell: Tell): string | object | undefined {
  const toJson = toJsonOf(given);
  const value = toJson ? apply(toJson, given, []) : given;
  if (typeof value === 'boolean' || (typeof value === 'number' && value - value === 0)) return `${value}`;
  if (typeof value === 'string') {
    if (value.length <= MAX_LENGTH) return quote(value);
    tell({ path, rule: LENGTH_RULE, done: 'cut' });
    return quote(cut(value));
  }
  if (typeof value !== 'object' || !value) return undefined;
  const tag: string = apply(tagOf, value, []);
  if (tag === '[object Date]') return formOf(writeDate(apply(getTime, value, [])), path, tell);
  // `new Number(1)` and its like.
  if (/ (Boolean|Number|String)]/.test(tag)) return formOf(value.valueOf(), path, tell);
  return isArray(value) || (tag === '[object Object]' && (isPlain(value) || keys(value).length))
    ? value
    : undefined;
}

/**
 * Own properties of a given object as safe JSON texts, in order. It reads each once, and never throws.
 * `[]` where it is no object that can be taken, which is told; undefined and null are not given, which is not.
 */
export function copyFields(given: unknown, root: string, tell: Tell): readonly Field[] {
  const fields: Field[] = [];
  let values = 0;
  let bytes = 0;
  const isOver = () => values > MAX_VALUES || bytes > MAX_BYTES;

  function leaveOut(path: string, rule: string): undefined {
    tell({ path, rule, done: 'left_out' });
  }

  /** Copies a property, or leaves it out. `start` is what stands before it. */
  function copyProperty(outer: Container, name: string, start: string): string | undefined {
    const path = outer.path ? `${outer.path}.${name}` : name;
    const valuesBefore = values;
    const bytesBefore = bytes;
    const isList = isArray(outer.value);
    const isItem = isList && +name >= 0;
    let json: string | undefined;
    try {
      const item = read(outer.value, name);
      if (name === '__proto__') leaveOut(path, 'must not be named __proto__');
      else if (!isOver() && (item !== undefined || isItem)) {
        // Beside its items an array has nothing that JSON has.
        const form = isList && !isItem ? undefined : formOf(item, path, tell);
        bytes += utf8Bytes(typeof form === 'string' ? start + form : start);
        json =
          typeof form === 'object' ? copyAll({ value: form, path, depth: outer.depth + 1, outer }) : form;
        if (form === undefined) leaveOut(path, TYPE_RULE);
      }
    } catch {
      leaveOut(path, 'must be readable');
    }
    if (isOver()) {
      // An attribute goes as a whole, and one that holds too much costs the others nothing.
      if (outer.depth > ATTRIBUTES_DEPTH) return undefined;
      json = leaveOut(path, SIZE_RULE);
      values = valuesBefore;
    }
    if (json === undefined) bytes = bytesBefore;
    return json;
  }

  function copyAll(container: Container): string | undefined {
    const { value, path, outer } = container;
    if (isEndless(container)) return leaveOut(path, SIZE_RULE);
    // A proxy may say anything of its length.
    const items = isArray(value) ? value.length >>> 0 : 0;
    const names = items > MAX_VALUES ? [] : keys(value);
    values += items > names.length ? items : names.length;
    if (isOver()) return undefined;
    let text = '';
    bytes += 2;
    for (let i = 0; i < items || i < names.length; i++) {
      const name = i < items ? `${i}` : (names[i] ?? '');
      const start = (text && ',') + (isArray(value) ? '' : `${quote(name)}:`);
      const json = copyProperty(container, name, start);
      if (json !== undefined) {
        text += start + json;
        if (!isArray(value) && !outer?.outer) fields[fields.length] = [name, json];
      }
    }
    return isArray(value) ? `[${text}]` : `{${text}}`;
  }

  const top = { value: { [root]: given ?? undefined }, path: '', depth: root ? 1 : 0 };
  const json = copyProperty(top, root, '');
  if (json && json[0] !== '{') leaveOut(root, 'must be an object');
  return fields;
}
