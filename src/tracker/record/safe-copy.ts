import { utf8Bytes } from '../../contract/rules/text.ts';
import { apply, getPrototypeOf, getTime, hasOwn, isArray, keys, tagOf } from './built-ins.ts';
import { bare } from './own-fields.ts';
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

/** Reports a difference of one property. */
type Differ = (rule: string, done?: Difference['done']) => void;

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

// The names that were copied last, by their place, each as JSON with its colon: calls that follow each other mostly
// have the same ones. No array: a page may have added an index to `Array.prototype`.
const quoted: { [place: number]: Field } = bare({});

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

/** Where a property of a container is. */
function pathOf({ path }: Container, name: string): string {
  return path ? `${path}.${name}` : name;
}

/** Whether an object is nested too deeply, or within itself. */
function isEndless({ value, depth, outer }: Container): boolean {
  for (let around = outer; around; around = around.outer) if (around.value === value) return true;
  return depth > MAX_LEVELS + 1;
}

/** A value as JSON, or the object to copy in its place. Undefined if it can't be sent. */
function formOf(value: unknown, differ: Differ, isAnswer?: boolean): string | object | undefined {
  // What most pages send comes first: a page pays for each look at a value.
  if (typeof value === 'string') {
    if (value.length <= MAX_LENGTH) return quote(value);
    differ(LENGTH_RULE, 'cut');
    return quote(cut(value));
  }
  if (typeof value === 'number') return value - value === 0 ? `${value}` : undefined;
  if (typeof value === 'boolean') return `${value}`;
  if (!value) return undefined;
  const tag: string = apply(tagOf, value, []);
  if (tag === '[object Date]') {
    const date = writeDate(apply(getTime, value, []));
    return date && `"${date}"`;
  }
  const toJson = isAnswer ? undefined : toJsonOf(value);
  if (toJson) return formOf(apply(toJson, value, []), differ, true);
  // `new Number(1)` and the like.
  if (/ (Boolean|Number|String)]/.test(tag)) return formOf(value.valueOf(), differ);
  return typeof value === 'object' &&
    (isArray(value) || (tag === '[object Object]' && (isPlain(value) || keys(value).length)))
    ? value
    : undefined;
}

/** An object as JSON, as a whole and, for a profile, by property. */
export type Copy = { readonly json: string; readonly fields: readonly Field[] };

/**
 * Copies the own properties of a given object as safe JSON texts, in order.
 * Reads each property once, and never throws. Copies `{}` and reports it if the value is not an object.
 * Undefined and null count as absent, which is not reported.
 *
 * @param root the name of the object in a record. Empty for a profile: only its `fields` are listed
 */
export function copyObject(given: unknown, root: string, report: Report): Copy {
  const fields: Field[] = [];
  let values = 0;
  let bytes = 0;
  let uncounted = '';
  let isObject = false;

  function isOver(): boolean {
    // UTF-8 has at most three bytes for a unit: most copies need no exact count.
    if (bytes + uncounted.length * 3 > MAX_BYTES) {
      bytes += utf8Bytes(uncounted);
      uncounted = '';
    }
    return values > MAX_VALUES || bytes > MAX_BYTES;
  }

  /** Copies a property after the text before it, or leaves it out. */
  function copyProperty(outer: Container, name: string, start: string): string | undefined {
    const differ: Differ = (rule, done = 'left_out') => report({ path: pathOf(outer, name), rule, done });
    const isTooMuch = isOver();
    const valuesBefore = values;
    const bytesBefore = bytes;
    const uncountedBefore = uncounted;
    const isList = isArray(outer.value);
    const isItem = isList && +name >= 0;
    let text: string | undefined;
    try {
      const item = read(outer.value, name);
      if (name === '__proto__') differ('must not be named __proto__');
      else if (!isTooMuch && (item !== undefined || isItem)) {
        // An array's properties other than its items are not in JSON.
        const form = isList && !isItem ? undefined : formOf(item, differ);
        if (typeof form === 'string') {
          text = start + form;
          uncounted += text;
        } else if (form) {
          uncounted += start;
          const json = copyAll({ value: form, path: pathOf(outer, name), depth: outer.depth + 1, outer });
          text = json && start + json;
        } else differ(TYPE_RULE);
      }
    } catch {
      differ('must be readable');
    }
    if (isOver()) {
      // An attribute is sent as a whole. One that is too large costs the others nothing.
      if (outer.depth > ATTRIBUTES_DEPTH) return undefined;
      text = undefined;
      differ(SIZE_RULE);
      values = valuesBefore;
    }
    if (!text) {
      bytes = bytesBefore;
      uncounted = uncountedBefore;
    }
    return text;
  }

  function copyAll(container: Container): string | undefined {
    const { value, path, depth } = container;
    if (isEndless(container)) {
      report({ path, rule: SIZE_RULE, done: 'left_out' });
      return undefined;
    }
    const isList = isArray(value);
    // A proxy may report any length.
    const items = isList ? value.length >>> 0 : 0;
    const names = items > MAX_VALUES ? [] : keys(value);
    values += items > names.length ? items : names.length;
    if (isOver()) return undefined;
    let text = '';
    bytes += 2;
    for (let i = 0; i < items || i < names.length; i++) {
      const name = i < items ? `${i}` : (names[i] ?? '');
      let start = text && ',';
      if (!isList) {
        if (quoted[i]?.[0] !== name) quoted[i] = [name, `${quote(name)}:`];
        start += quoted[i]?.[1] ?? '';
      }
      const property = copyProperty(container, name, start);
      if (property) {
        text += property;
        if (depth === 1) fields[fields.length] = [name, property.slice(start.length)];
      }
    }
    // The outermost object is done last.
    isObject = !isList;
    return isList ? `[${text}]` : `{${text}}`;
  }

  const top = { value: { [root]: given ?? undefined }, path: '', depth: root ? 1 : 0 };
  const json = copyProperty(top, root, '');
  if (json && isObject) return { json, fields };
  if (json) report({ path: root, rule: 'must be an object', done: 'left_out' });
  return { json: '{}', fields: [] };
}
