import { constants } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImportError } from './source.ts';

/** A file that can be read again and again. */
export type InputFile = {
  /** For messages: the path as it was given, or “standard input”. */
  readonly name: string;
  /** Fills the buffer from this position on. Resolves to the number of bytes, 0 at the end. */
  readonly read: (buffer: Uint8Array, position: number) => Promise<number>;
  readonly close: () => Promise<void>;
};

/** What a file is read from in place of a path. */
export type InputStream = AsyncIterable<Uint8Array | string>;

/** Opens a file. A `-` is standard input. What can be read only once is copied to a temporary file first. */
export async function openInput(path: string, stdin: InputStream): Promise<InputFile> {
  if (path === '-') return spool('standard input', stdin);
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new ImportError(`${path} can't be read: ${OPEN_FAULTS[error.code ?? ''] ?? error.code}`);
  });
  const stat = await handle.stat();
  if (stat.isFile()) return inputFile(path, handle);
  if (stat.isDirectory()) {
    await handle.close();
    throw new ImportError(`${path} is a folder: name a file`);
  }
  // A pipe, such as bash's <(…).
  return spool(path, handle.createReadStream());
}

const OPEN_FAULTS: { readonly [code: string]: string } = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
};

function inputFile(name: string, handle: FileHandle): InputFile {
  return {
    name,
    read: (buffer, position) => fill(handle, buffer, position),
    close: () => handle.close(),
  };
}

/** A read may return less than is asked for, and more with the next one. */
async function fill(handle: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

const { O_CREAT, O_EXCL, O_RDWR } = constants;

/**
 * Copies a stream to a temporary file that only this user may read. The file has no name from the start, so the
 * system frees it with the end of this process, even after a crash.
 */
async function spool(name: string, stream: InputStream): Promise<InputFile> {
  const folder = await mkdtemp(join(tmpdir(), 'webengage-relay-import-'));
  const handle = await open(join(folder, 'input'), O_CREAT | O_EXCL | O_RDWR, 0o600);
  await rm(folder, { recursive: true });
  try {
    for await (const chunk of stream) await handle.appendFile(chunk);
  } catch (error) {
    await handle.close();
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC')
      throw new ImportError(`${tmpdir()} has no room for ${name}: set TMPDIR to a folder on a larger disk`);
    throw new ImportError(`${name} can't be read: ${code ?? message}`);
  }
  return inputFile(name, handle);
}
