import type { InputFile } from '../../../src/import/read/input-file.ts';

/** A file in memory. A test may change its bytes. */
export function memoryFile(content: string | Uint8Array): InputFile & { bytes: Uint8Array } {
  const file = {
    name: 'people.csv',
    bytes: Buffer.from(content) as Uint8Array,
    read: async (buffer: Uint8Array, position: number) => {
      const part = file.bytes.subarray(position, position + buffer.length);
      buffer.set(part);
      return part.length;
    },
    close: async () => undefined,
  };
  return file;
}

/** Bytes in chunks of this size. */
export async function* chunked(content: string | Uint8Array, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** All values of an iteration. */
export async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const list: Value[] = [];
  for await (const value of values) list.push(value);
  return list;
}
