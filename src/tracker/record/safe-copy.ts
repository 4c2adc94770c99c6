import { utf8Bytes } from '../../contract/rules/text.ts';
import { apply, getPrototypeOf, getTime, hasOwn, isArray, keys, tagOf } from './built-ins.ts';
import { quote } from './quote.ts';
import { toJsonOf } from './to-json.ts';
import { writeDate } from './write-date.ts';

/** A difference between a given value and its copy. */
export type Difference = {
  /** Where it is, such as `eventData.Price`. */
  readonly path: string;
  /** The rule that the value breaks. */
  readonly rule: string;
  readonly done: 'cut' | 'left_out';
};

type Report = (difference: Difference) => void;

/** The name of a property, and its value as JSON. */
export type Field = readonly [name: string, json: string];

/** An object that is being copied, within the one that holds it. */
type Container = {
  readonly value: object;
  readonly path: string;
  readonly depth: number;
  readonly outer?: Container;
};

// WebEngage keeps strings of "less than 1,000 characters".
const MAX_LENGTH = 999;
// The relay accepts this many.
const MAX_LEVELS = 16;
// Objects that share references, such as a framework's nodes, would be walked along every path through them.
const MAX_VALUES = 2_000;
// A record always fits a request that outlives its page: browsers allow 65,536 bytes for all of them.
const MAX_BYTES = 45_000;

const LENGTH_RULE = `must have at most ${MAX_LENGTH} characters`;
const TYPE_RULE = 'must be a string, finite number, boolean, valid date, array or plain object';
const SIZE_RULE = `must hold at most ${MAX_VALUES} values, ${MAX_LEVELS} levels and ${MAX_BYTES} bytes`;

// The depth of `attributes` in a profile, and of `eventData`.
const ATTRIBUTES_DEPTH = 2;

/** Writes fields as a JSON object. */
export function toJsonObject(fields: readonly Field[]): string {
  let text = '';
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? ['', ''];
    text += `${text && ','}${quote(field[0])}:${field[1]}`;
  }
  return `{${text}}`;
}

/** Cuts text to the maximum length. If the cut splits a surrogate pair, its first half goes too. */
function cut(text: string): string {
  return text.slice(0, MAX_LENGTH).replace(/[\ud800-\udbff]$/, '');
}

/** Whether an object is plain: its prototype is null, or `Object.prototype` of any realm. */
function isPlain(value: object): boolean {
  const parent = getPrototypeOf(value);
  return !parent || !getPrototypeOf(parent);
}

/** Reads an own property once. The `Object.keys` of Prototype.js 1.6 returns inherited names too. */
function read(value: object, name: string): unknown {
  return hasOwn(value, name) ? (value as { readonly [name: string]: unknown })[name] : undefined;
}

/** Whether an object is nested too deeply, or within itself. */
function isEndless({ value, depth, outer }: Container): boolean {
  for (let around = outer; around; around = around.outer) if (around.value === value) return true;
  return depth > MAX_LEVELS + 1;
}

/** A value as JSON, or the object to copy in its place. Undefined if it can't be sent. */
function formOf(given: unknown, path: string, report: Report): string | object | undefined {
  const toJson = toJsonOf(given);
  const value = toJson ? apply(toJson, given, []) : given;
  if (typeof value === 'boolean' || (typeof value === 'number' && value - value === 0)) return `${value}`;
  if (typeof value === 'string') {
    if (value.length <= MAX_LENGTH) return quote(value);
    report({ path, rule: LENGTH_RULE, done: 'cut' });
    return quote(cut(value));
  }
  if (typeof value !== 'object' || !value) return undefined;
  const tag: string = apply(tagOf, value, []);
  if (tag === '[object Date]') return formOf(writeDate(apply(getTime, value, [])), path, report);
  // `new Number(1)` and the like.
  if (/ (Boolean|Number|String)]/.test(tag)) return formOf(value.valueOf(), path, report);
  return isArray(value) || (tag === '[object Object]' && (isPlain(value) || keys(value).length))
    ? value
    : undefined;
}

/** An object as JSON, as a whole and by property. */
export type Copy = { readonly json: string; readonly fields: readonly Field[] };

/**
 * Copies the own properties of a given object as safe JSON texts, in order.
 * Reads each property once, and never throws. Copies `{}` and reports it if the value is not an object.
 * Undefined and null count as absent, which is not reported.
 */
export function copyObject(given: unknown, root: string, report: Report): Copy {
  const fields: Field[] = [];
  let values = 0;
  let bytes = 0;
  const isOver = () => values > MAX_VALUES || bytes > MAX_BYTES;

  function leaveOut(path: string, rule: string): undefined {
    report({ path, rule, done: 'left_out' });
  }

  /** Copies a property, or leaves it out. `start` is the text before it. */
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
        // An array's properties other than its items are not in JSON.
        const form = isList && !isItem ? undefined : formOf(item, path, report);
        bytes += utf8Bytes(typeof form === 'string' ? start + form : start);
        json =
          typeof form === 'object' ? copyAll({ value: form, path, depth: outer.depth + 1, outer }) : form;
        if (form === undefined) leaveOut(path, TYPE_RULE);
      }
    } catch {
      leaveOut(path, 'must be readable');
    }
    if (isOver()) {
      // An attribute is sent as a whole. One that is too large costs the others nothing.
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
    // A proxy may report any length.
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
  if (json?.[0] === '{') return { json, fields };
  if (json) leaveOut(root, 'must be an object');
  return { json: '{}', fields };
}
