/** Deepest nesting a body may have: the envelope's three levels and a record's, and more than an attribute may hold. */
const MAX_DEPTH = 32;

/**
 * Most values a body may hold, fields and elements. 25 records with every attribute that WebEngage allows hold half as
 * many; and whoever crafts what is dear to check, or names that are dear to tell apart, has no more of them.
 */
const MAX_VALUES = 10_000;

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

/**
 * What `JSON.parse` would not tell of a text, in words; undefined where there is nothing to tell. Of two fields with one
 * name it takes the last, where another reader may take the first; and it nests as deep as it is told to.
 * Goes through the text once. It holds for JSON alone: of anything else it may say nothing, as `JSON.parse` refuses it.
 */
export function faultInJson(text: string, maxValues: number = MAX_VALUES): string | undefined {
  // The names so far in each object that is open; an array has none.
  const open: (Set<string> | undefined)[] = [];
  let values = 0;
  // The string that may turn out to be a name; none once it has.
  let [start, end] = [-1, -1];

  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        [start, end] = [at, endOfString(text, at)];
        at = end;
        break;
      case COLON: {
        // No JSON, then; and one long string before thousands of colons would be read for each of them.
        if (start < 0) return undefined;
        const known = open.at(-1) ?? new Set();
        open[open.length - 1] = known;
        const name = nameIn(text.slice(start, end + 1));
        start = -1;
        if (known.has(name)) return 'must not have two fields of one name';
        if (name === FORBIDDEN_NAME) return `must not have a field ${FORBIDDEN_NAME}`;
        known.add(name);
        break;
      }
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        open.push(undefined);
        if (open.length > MAX_DEPTH) return `must nest at most ${MAX_DEPTH} levels`;
        values += 1;
        break;
      case COMMA:
        values += 1;
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        open.pop();
    }
    if (values > maxValues) return `must hold at most ${maxValues} values in all`;
  }
  return undefined;
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
