import { type Issue, toPath } from './issue.ts';

/** Deepest nesting of a body: the envelope's object and its list, and a record's, which is more than an attribute may have. */
const MAX_DEPTH = 32;

// A record's own levels begin inside `records`.
const ENVELOPE_DEPTH = 2;

/**
 * Most values in one record, fields and elements, and in the envelope. A tracker sends no more of a call; and whoever crafts
 * what is dear to check, or names that are dear to tell apart, has no more of them.
 */
const MAX_VALUES = 2_500;

// An object with it is no longer what it says, to whoever copies it carelessly behind us.
const FORBIDDEN_NAME = '__proto__';

const QUOTE = 0x22;
const COLON = 0x3a;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const CLOSE_OBJECT = 0x7d;
const CLOSE_ARRAY = 0x5d;

/** What is wrong with the text of a batch. */
export type TextFaults = {
  /** With the envelope: it costs the batch. Nothing is known of what comes after it. */
  readonly ofBatch: Issue | undefined;
  /** With a record, by its index: it costs that record. */
  readonly ofRecords: ReadonlyMap<number, Issue>;
};

/**
 * Finds what `JSON.parse` would not tell of a batch. Of two fields with one name it takes the last, where another reader may
 * take the first; and it nests as deep as it is told to.
 * Goes through the text once. It holds for JSON alone: of anything else it may say nothing, as `JSON.parse` refuses it.
 */
export function faultsInBatch(text: string): TextFaults {
  return faultsInText(text, { recordsIn: 'records', maxValues: MAX_VALUES });
}

/** The same of any JSON, however many values it holds. */
export function faultInJson(text: string): Issue | undefined {
  return faultsInText(text, { recordsIn: undefined, maxValues: Number.POSITIVE_INFINITY }).ofBatch;
}

type Bounds = { readonly recordsIn: string | undefined; readonly maxValues: number };

function faultsInText(text: string, bounds: Bounds): TextFaults {
  const seen = reader(bounds);
  // The string that may turn out to be a name; none once it has.
  let [start, end] = [-1, -1];

  for (let at = 0; at < text.length && seen.faults.ofBatch === undefined; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        [start, end] = [at, endOfString(text, at)];
        at = end;
        break;
      case COLON:
        // No JSON, then; and one long string before thousands of colons would be read for each of them.
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

/** An object or array that is not closed yet. */
type Open = {
  readonly isArray: boolean;
  /** The names so far; made with the first one. */
  names: Set<string> | undefined;
  /** Where in it the text is: at this field, or at this element. */
  name: string;
  index: number;
  /** Whether the records are at this field. */
  isRecords: boolean;
};

/** Follows where in a batch the text is, and takes down the first fault of each record. */
function reader({ recordsIn, maxValues }: Bounds) {
  const ofRecords = new Map<number, Issue>();
  const faults: { ofBatch: Issue | undefined; readonly ofRecords: Map<number, Issue> } = {
    ofBatch: undefined,
    ofRecords,
  };
  // Levels deeper than any may be are only counted.
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
    /** False where a name could tell nothing new. */
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
      // How many records there may be is a rule of the contract.
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

const isInRecords = ([batch, records]: readonly Open[]) =>
  batch?.isRecords === true && records?.isArray === true;

/** True between two records. */
const isAtRecords = (open: readonly Open[]) => open.length === ENVELOPE_DEPTH && isInRecords(open);

/** The index of the record that the text is in; undefined for the envelope. */
function recordAt(open: readonly Open[]): number | undefined {
  return isInRecords(open) && open.length > ENVELOPE_DEPTH ? open[1]?.index : undefined;
}

/** The path to where the text is, from its record or from the batch. */
function pathOf(open: readonly Open[]): string[] {
  const inside = open.slice(recordAt(open) === undefined ? 0 : ENVELOPE_DEPTH);
  return inside.map(({ isArray, name, index }) => (isArray ? String(index) : name));
}

/** Where the string ends that begins here; the end of the text where it does not. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslash = quote - 1;
    while (text.charCodeAt(backslash) === BACKSLASH) backslash -= 1;
    // Two of them are one that is meant: an odd one is the quote's.
    if ((quote - backslash) % 2 === 1) return quote;
  }
  return text.length;
}

/** The name as it will be read: `"\u0061"` is `"a"`. */
function nameIn(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted; // Nor will the whole be parsed.
  }
}
