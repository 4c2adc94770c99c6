import { utf8Bytes } from '../../contract/text.ts';
import { apply, getPrototypeOf, getTime, hasOwn, isArray, keys, stringify, tagOf } from './built-ins.ts';
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

// The depth of `attributes` and of `eventData`.
const ATTRIBUTES_DEPTH = 2;

/** Writes `{…}` of such fields. */
export function toJsonObject(fields: readonly Field[]): string {
  let text = '';
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? ['', ''];
    text += `${text && ','}${stringify(field[0])}:${field[1]}`;
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

  const isOver = () => values > MAX_VALUES || bytes > MAX_BYTES;

  function leaveOut(path: string, rule: string): undefined {
    tell({ path, rule, done: 'left_out' });
  }

  function kept(json: string): string {
    bytes += utf8Bytes(json);
    return json;
  }

  /** Copies a property, or leaves it out. `start` is what stands before it. */
  function copyProperty(container: Container, name: string, start: string): string | undefined {
    const { value, depth } = container;
    const path = container.path ? `${container.path}.${name}` : name;
    const valuesBefore = values;
    const bytesBefore = bytes;
    let json: string | undefined;
    try {
      kept(start);
      const item = read(value, name);
      if (name === '__proto__') leaveOut(path, 'must not be named __proto__');
      else if (!isOver() && (item !== undefined || isArray(value))) json = copy(item, path, container);
    } catch {
      leaveOut(path, 'must be readable');
    }
    if (isOver()) {
      // An attribute goes as a whole, and one that holds too much costs the others nothing.
      if (depth > ATTRIBUTES_DEPTH) return undefined;
      json = leaveOut(path, SIZE_RULE);
      values = valuesBefore;
    }
    if (json === undefined) bytes = bytesBefore;
    return json;
  }

  function copy(given: unknown, path: string, outer: Container): string | undefined {
    const toJson = toJsonOf(given);
    const value = toJson ? apply(toJson, given, []) : given;
    if (typeof value === 'boolean' || (typeof value === 'number' && value - value === 0))
      return kept(`${value}`);
    if (typeof value === 'string') {
      if (value.length <= MAX_LENGTH) return kept(stringify(value));
      tell({ path, rule: LENGTH_RULE, done: 'cut' });
      return kept(stringify(cut(value)));
    }
    if (typeof value === 'object' && value) {
      const tag: string = apply(tagOf, value, []);
      if (tag === '[object Date]') return copy(writeDate(apply(getTime, value, [])), path, outer);
      // `new Number(1)` and its like.
      if (/ (Boolean|Number|String)]/.test(tag)) return copy(value.valueOf(), path, outer);
      if (isArray(value) || tag === '[object Object]')
        return copyAll({ value, path, depth: outer.depth + 1, outer });
    }
    return leaveOut(path, TYPE_RULE);
  }

  function copyAll(container: Container): string | undefined {
    const { value, path, depth, outer } = container;
    for (let around = outer; around; around = around.outer)
      if (around.value === value || depth > MAX_LEVELS + 1) return leaveOut(path, SIZE_RULE);
    const isList = isArray(value);
    // A proxy may say anything of its length.
    const items = isList ? value.length >>> 0 : 0;
    values += items;
    if (isOver()) return undefined;
    const names = keys(value);
    if (names.length > items) values += names.length - items;
    if (isOver()) return undefined;
    if (!names.length && !isList && !isPlain(value)) return leaveOut(path, TYPE_RULE);

    let text = '';
    bytes += 2;
    for (let i = 0; i < items || i < names.length; i++) {
      const name = i < items ? `${i}` : (names[i] ?? '');
      // Prototype.js 1.6 has an `Object.keys` that answers inherited names too.
      if (i >= items && !hasOwn(value, name)) continue;
      // What an array has beside its items.
      if (isList && i >= items) leaveOut(`${path}.${name}`, TYPE_RULE);
      else {
        const start = (text && ',') + (isList ? '' : `${stringify(name)}:`);
        const json = copyProperty(container, name, start);
        if (json !== undefined) {
          text += start + json;
          if (!isList && !outer?.outer) fields[fields.length] = [name, json];
        }
      }
    }
    return isList ? `[${text}]` : `{${text}}`;
  }

  if (given === null) return fields;
  const top = { value: { [root]: given }, path: '', depth: ATTRIBUTES_DEPTH - (root ? 1 : 2) };
  const json = copyProperty(top, root, '');
  if (json && json[0] !== '{') leaveOut(root, 'must be an object');
  return fields;
}
