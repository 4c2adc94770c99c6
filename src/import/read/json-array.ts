import { ImportError } from './source.ts';
import { type JsonText, MAX_ROW_BYTES, tooLong } from './table.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const isSpace = (code: number) => code === 0x20 || code === LINE_FEED || code === 0x0d || code === 0x09;

/**
 * Divides a JSON array into the texts of its elements. It follows strings and brackets, and leaves it to
 * `JSON.parse` to judge each element. So an element that is not JSON costs only itself.
 */
export async function* arrayElements(
  text: AsyncIterable<Buffer>,
  name: string,
): AsyncGenerator<readonly JsonText[]> {
  const scan = scanner(name);
  for await (const chunk of text) {
    const group = scan.next(chunk.toString());
    if (group.length > 0) yield group;
  }
  scan.end();
}

/** The scanner's place: before the array, before an element, in one, or behind the array. */
type Place = 'before' | 'first' | 'next' | 'element' | 'behind';

/** Follows an element's characters. Returns true for the first one behind the element. */
function elementEnd(): (code: number) => boolean {
  let depth = 0;
  let inString = false;
  let isEscaped = false;

  function inText(code: number): void {
    if (isEscaped) isEscaped = false;
    else if (code === BACKSLASH) isEscaped = true;
    else if (code === QUOTE) inString = false;
  }
  return (code) => {
    if (inString) inText(code);
    else if (code === QUOTE) inString = true;
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) depth += 1;
    else if (depth === 0) return code === COMMA || code === CLOSE_ARRAY || code === CLOSE_OBJECT;
    else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth -= 1;
    return false;
  };
}

function scanner(name: string) {
  const isBehind = elementEnd();
  let place: Place = 'before';
  let line = 1;
  let elementLine = 1;
  // The parts of an element that came with earlier chunks.
  let parts: string[] = [];
  let length = 0;

  // A function, since the compiler takes no call for a change of `place`.
  const isInElement = () => place === 'element';
  const fault = (what: string) => new ImportError(`${name}, line ${line}: ${what}`);

  function outside(code: number): void {
    if (isSpace(code)) return;
    if (place === 'before') {
      if (code !== OPEN_ARRAY) throw fault('must begin with [, as an array of objects');
      place = 'first';
    } else if (place === 'behind') {
      throw fault('has text after the end of the array: for one object a line, leave out the brackets');
    } else if (code === CLOSE_ARRAY && place === 'first') {
      place = 'behind';
    } else if (code === COMMA || code === CLOSE_ARRAY) {
      throw fault('has a comma with no element beside it');
    } else {
      place = 'element';
      elementLine = line;
    }
  }

  function next(chunk: string): JsonText[] {
    const group: JsonText[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at);
      if (code === LINE_FEED) line += 1;
      if (!isInElement()) {
        outside(code);
        if (!isInElement()) continue;
        start = at;
      }
      if (!isBehind(code)) continue;
      if (code === CLOSE_OBJECT) throw fault('has a } without its {');
      group.push({ line: elementLine, text: parts.join('') + chunk.slice(start, at) });
      parts = [];
      length = 0;
      place = code === COMMA ? 'next' : 'behind';
    }
    if (isInElement()) {
      parts.push(chunk.slice(start));
      length += chunk.length - start;
      if (length > MAX_ROW_BYTES) throw tooLong(name, elementLine);
    }
    return group;
  }

  function end(): void {
    if (place === 'before') throw new ImportError(`${name} is empty: it must be an array of objects`);
    if (place !== 'behind') throw fault('the file ends inside the array: is it cut off?');
  }

  return { next, end };
}
