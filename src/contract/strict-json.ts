import { type Issue, toPath } from './issue.ts';

/**
 * The deepest nesting of a body. Two levels are the envelope's, and a record's share exceeds that of its attributes.
 */
const MAX_DEPTH = 32;

// A record's own levels begin inside `records`.
const ENVELOPE_DEPTH = 2;

/**
 * The most values (fields and elements) in one record, and in the envelope. No call of a tracker has more. It
 * limits input that is crafted to be expensive to check, or to have many names to compare.
 */
const MAX_VALUES = 2_500;

// Code downstream that copies an object carelessly would set its prototype by this field.
const FORBIDDEN_NAME = '__proto__';

const QUOTE = 0x22;
const COLON = 0x3a;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const CLOSE_OBJECT = 0x7d;
const CLOSE_ARRAY = 0x5d;

/** The faults in the text of a batch. */
export type TextFaults = {
  /** A fault of the envelope, for which the whole batch is refused. The text after it is not checked. */
  readonly ofBatch: Issue | undefined;
  /** The faults of records, by index. Each costs only its own record. */
  readonly ofRecords: ReadonlyMap<number, Issue>;
};

/**
 * Finds faults in a batch that `JSON.parse` accepts. Of two fields with the same name it takes the last, and
 * another reader may take the first. It also accepts any depth of nesting.
 * It reads the text once, and relies on `JSON.parse` to refuse text that is not JSON.
 */
export function faultsInBatch(text: string): TextFaults {
  return faultsInText(text, { recordsIn: 'records', maxValues: MAX_VALUES });
}

/**
 * True for the text of a batch that surely has no fault. `JSON.stringify` writes no name twice, so neither does text
 * that it gives back unchanged from the parsed value. That takes half the time of reading the text, and trackers
 * send nothing else. Other text may have no fault either.
 */
export function isSurelyStrict(text: string, parsed: unknown): boolean {
  return isWithinBounds(parsed) && JSON.stringify(parsed) === text;
}

function isWithinBounds(parsed: unknown): boolean {
  if (typeof parsed !== 'object' || parsed === null || !('records' in parsed)) return false;
  const { records } = parsed;
  if (!Array.isArray(records)) return false;
  // The list counts towards the envelope, and its records do not.
  if (valuesIn({ ...parsed, records: [] }, MAX_DEPTH) > MAX_VALUES) return false;
  return records.every((record) => valuesIn(record, MAX_DEPTH - ENVELOPE_DEPTH) <= MAX_VALUES);
}

/** At least the number of values, as `MAX_VALUES` counts them. Infinite with too deep nesting or a forbidden name. */
function valuesIn(value: unknown, levels: number): number {
  if (typeof value !== 'object' || value === null) return 1;
  if (levels === 0) return Number.POSITIVE_INFINITY;
  let values = 1;
  if (Array.isArray(value)) for (const item of value) values += valuesIn(item, levels - 1);
  else
    for (const name of Object.keys(value))
      values +=
        name === FORBIDDEN_NAME ? Number.POSITIVE_INFINITY : valuesIn(Reflect.get(value, name), levels - 1);
  return values;
}

/** The same for any JSON, with no limit on values. */
export function faultInJson(text: string): Issue | undefined {
  return faultsInText(text, { recordsIn: undefined, maxValues: Number.POSITIVE_INFINITY }).ofBatch;
}

type Bounds = { readonly recordsIn: string | undefined; readonly maxValues: number };

function faultsInText(text: string, bounds: Bounds): TextFaults {
  const seen = reader(bounds);
  // The last string, which may turn out to be a field name. -1 once it has been used.
  let [start, end] = [-1, -1];

  for (let at = 0; at < text.length && seen.faults.ofBatch === undefined; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        [start, end] = [at, endOfString(text, at)];
        at = end;
        break;
      case COLON:
        // Not JSON. Without this, one long string before thousands of colons would be read again for each of them.
        if (start < 0) return seen.faults;
        if (seen.wantsNames()) seen.name(nameIn(text.slice(start, end + 1)));
        start = -1;
        break;
      case OPEN_OBJECT:
        seen.open(false);
        break;
      case OPEN_ARRAY:
        seen.open(true);
        break;
      case COMMA:
        seen.comma();
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        seen.close();
    }
  }
  return seen.faults;
}

/** An object or array that is still open. */
type Open = {
  readonly isArray: boolean;
  /** The names so far. Created with the first name. */
  names: Set<string> | undefined;
  /** The position inside it: the current field or the current element. */
  name: string;
  index: number;
  /** True if the current field is the one with the records. */
  isRecords: boolean;
};

/** Tracks the position in a batch, and keeps the first fault of each record. */
function reader({ recordsIn, maxValues }: Bounds) {
  const ofRecords = new Map<number, Issue>();
  const faults: { ofBatch: Issue | undefined; readonly ofRecords: Map<number, Issue> } = {
    ofBatch: undefined,
    ofRecords,
  };
  // Levels beyond the maximum are only counted.
  const open: Open[] = [];
  let deeper = 0;
  let inRecord = 0;
  let inEnvelope = 0;

  function fault(message: string, path: readonly string[] = []): void {
    const index = recordAt(open);
    const found = { path: toPath(path), message };
    if (index === undefined) faults.ofBatch = found;
    else if (!ofRecords.has(index)) ofRecords.set(index, found);
  }

  function countValue(): void {
    const values = recordAt(open) === undefined ? ++inEnvelope : ++inRecord;
    if (values > maxValues) fault(`must hold at most ${maxValues} values`);
  }

  return {
    faults,
    /** False if a name can't reveal another fault. */
    wantsNames: () => deeper === 0 && !ofRecords.has(recordAt(open) ?? -1),
    open(isArray: boolean): void {
      if (open.length === MAX_DEPTH) {
        deeper += 1;
        fault(`must nest at most ${MAX_DEPTH - (recordAt(open) === undefined ? 0 : ENVELOPE_DEPTH)} levels`);
        return;
      }
      if (isAtRecords(open)) inRecord = 0;
      open.push({ isArray, names: undefined, name: '', index: 0, isRecords: false });
      countValue();
    },
    close(): void {
      if (deeper > 0) deeper -= 1;
      else open.pop();
    },
    comma(): void {
      const inside = open.at(-1);
      if (inside === undefined || deeper > 0) return;
      inside.index += 1;
      // The number of records has its own rule in the contract.
      if (!isAtRecords(open)) countValue();
    },
    name(name: string): void {
      const inside = open.at(-1);
      if (inside === undefined) return;
      inside.names ??= new Set();
      inside.name = name;
      inside.isRecords = open.length === 1 && name === recordsIn;
      if (inside.names.has(name)) fault('must be given only once', pathOf(open));
      else if (name === FORBIDDEN_NAME) fault('must not be a field', pathOf(open));
      inside.names.add(name);
    },
  };
}

const isInRecords = (open: readonly Open[]) => open[0]?.isRecords === true && open[1]?.isArray === true;

/** True at the level of the list, between two records. */
const isAtRecords = (open: readonly Open[]) => open.length === ENVELOPE_DEPTH && isInRecords(open);

/** The index of the current record. Undefined in the envelope. */
function recordAt(open: readonly Open[]): number | undefined {
  return isInRecords(open) && open.length > ENVELOPE_DEPTH ? open[1]?.index : undefined;
}

/** The path to the current position, from its record or from the batch. */
function pathOf(open: readonly Open[]): string[] {
  const inside = open.slice(recordAt(open) === undefined ? 0 : ENVELOPE_DEPTH);
  return inside.map(({ isArray, name, index }) => (isArray ? String(index) : name));
}

/** The end of the string that starts here, or the end of the text if the string is not closed. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslash = quote - 1;
    while (text.charCodeAt(backslash) === BACKSLASH) backslash -= 1;
    // Two backslashes are an escaped backslash. Only an odd one escapes the quote.
    if ((quote - backslash) % 2 === 1) return quote;
  }
  return text.length;
}

/** The name as JSON decodes it: `"\u0061"` is `"a"`. */
function nameIn(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted; // `JSON.parse` will refuse the whole text too.
  }
}
