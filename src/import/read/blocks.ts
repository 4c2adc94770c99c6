import { createHash } from 'node:crypto';
import type { InputFile } from './input-file.ts';
import { ImportError } from './source.ts';

/** How many bytes are read, hashed and compared at once. */
const BLOCK_BYTES = 128 * 1024;

/** Reads a file that must not change between passes. */
export type FileBlocks = {
  /** From the start. Throws before the first block that differs from an earlier pass. */
  readonly read: () => AsyncGenerator<Buffer>;
  /** SHA-256 of the file, once a pass has reached its end. */
  readonly digest: () => string;
};

/**
 * Reads a file in blocks. A row must be the same in each pass, because its id depends on the whole file. So each
 * pass after the first compares a block before it hands it out.
 */
export function fileBlocks(file: InputFile): FileBlocks {
  // The start of the digest up to each block. 48 bits fit a number, so a file of 100 GB needs 6 MB here.
  const marks: number[] = [];
  let whole: string | undefined;

  function compare(index: number, mark: number): void {
    marks[index] ??= mark;
    if (marks[index] !== mark) throw changed(file);
  }

  async function* read(): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    for (let index = 0; ; index++) {
      const buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      const bytes = await file.read(buffer, index * BLOCK_BYTES);
      if (bytes > 0) {
        const block = buffer.subarray(0, bytes);
        hash.update(block);
        compare(index, hash.copy().digest().readUIntBE(0, 6));
        yield block;
      }
      if (bytes < BLOCK_BYTES) break;
    }
    const digest = hash.digest('hex');
    whole ??= digest;
    if (whole !== digest) throw changed(file);
  }

  return { read, digest: () => whole ?? '' };
}

const changed = ({ name }: InputFile) =>
  new ImportError(`${name} has changed while it was read: run the import again once nothing writes to it`);
