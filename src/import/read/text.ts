import { isUtf8 } from 'node:buffer';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ImportError } from './source.ts';

type Bytes = AsyncIterable<Buffer>;

/**
 * The text of a file as bytes of UTF-8, unpacked if it is gzip, and without its byte order mark. No character is
 * split between two chunks. Throws where the text is not UTF-8.
 */
export async function* textOf(bytes: Bytes, name: string): AsyncGenerator<Buffer> {
  const { head, all } = await withHead(bytes, MAGIC_BYTES);
  if (startsWith(head, ZIP))
    throw new ImportError(
      `${name} is a ZIP archive or a workbook: unpack it, or save the table as CSV UTF-8`,
    );
  yield* startsWith(head, GZIP) ? utf8(gunzip(all, name), name) : utf8(all, name);
}

const MAGIC_BYTES = 4;
const GZIP = [0x1f, 0x8b];
const ZIP = [0x50, 0x4b, 0x03, 0x04];
const BOM = [0xef, 0xbb, 0xbf];
const UTF_16 = [
  [0xff, 0xfe],
  [0xfe, 0xff],
];

const startsWith = (bytes: Buffer, start: readonly number[]) =>
  start.every((byte, index) => bytes[index] === byte);

/** Reads at least this many bytes, if there are so many, and gives all of them again. */
async function withHead(
  bytes: Bytes,
  least: number,
): Promise<{ readonly head: Buffer; readonly all: Bytes }> {
  const rest = bytes[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < least) {
    const step = await rest.next();
    if (step.done) break;
    head = head.length === 0 ? step.value : Buffer.concat([head, step.value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head;
      for (let step = await rest.next(); !step.done; step = await rest.next()) yield step.value;
    } finally {
      await rest.return?.();
    }
  }
  return { head, all: all() };
}

async function* gunzip(bytes: Bytes, name: string): AsyncGenerator<Buffer> {
  // With a callback, an error of either stream reaches the loop.
  const unpacked = pipeline(Readable.from(bytes), createGunzip(), () => undefined);
  try {
    yield* unpacked;
  } catch (error) {
    if (error instanceof ImportError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const fault = code === 'Z_BUF_ERROR' ? 'ends too early' : 'is damaged';
    throw new ImportError(`${name} is gzip, but ${fault}: copy the file again`);
  }
}

/**
 * The rows of a piece are in memory together. With larger pieces more of them outlive a collection of garbage, for
 * which V8 enlarges its young generation up to 128 MB.
 */
const PIECE_BYTES = 2 * 1024;

const LINE_FEED = 0x0a;

async function* utf8(bytes: Bytes, name: string): AsyncGenerator<Buffer> {
  const { head, all } = await withHead(bytes, MAGIC_BYTES);
  // NUL is valid in UTF-8, but no table has it. UTF-16 has one in each letter of English.
  if (UTF_16.some((mark) => startsWith(head, mark)) || head.includes(0))
    throw new ImportError(`${name} is not UTF-8 but UTF-16: save it as UTF-8 (in Excel: CSV UTF-8)`);
  let rest: Buffer = Buffer.alloc(0);
  let skipped = startsWith(head, BOM) ? BOM.length : 0;
  const before = { bytes: 0, lines: 0 };

  function checked(chunk: Buffer): Buffer {
    if (!isUtf8(chunk)) throw notUtf8(chunk, before, name);
    before.bytes += chunk.length;
    before.lines += countLines(chunk);
    const text = skipped === 0 ? chunk : chunk.subarray(skipped);
    skipped = 0;
    return text;
  }

  for await (const next of all)
    for (let at = 0; at < next.length; at += PIECE_BYTES) {
      const piece = next.subarray(at, at + PIECE_BYTES);
      const chunk = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      const end = chunk.length - partialCharacter(chunk);
      rest = chunk.subarray(end);
      if (end > 0) yield checked(chunk.subarray(0, end));
    }
  if (rest.length > 0) throw notUtf8(rest, before, name);
}

/** The bytes at the end that are the start of a character, 0 to 3. */
function partialCharacter(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    // A continuation byte: the character starts before it.
    if (byte >> 6 === 0b10) continue;
    const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return size > back ? back : 0;
  }
  return 0;
}

type Before = { readonly bytes: number; readonly lines: number };

function notUtf8(chunk: Buffer, before: Before, name: string): ImportError {
  // The longest valid start, by halves.
  let [valid, invalid] = [0, chunk.length];
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    const part = chunk.subarray(0, middle);
    if (isUtf8(part.subarray(0, middle - partialCharacter(part)))) valid = middle;
    else invalid = middle;
  }
  const good = chunk.subarray(0, valid - partialCharacter(chunk.subarray(0, valid)));
  const line = before.lines + countLines(good) + 1;
  return new ImportError(
    `${name}, line ${line}: byte ${before.bytes + good.length + 1} is not UTF-8: save the file as UTF-8 (in Excel: CSV UTF-8)`,
  );
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}
