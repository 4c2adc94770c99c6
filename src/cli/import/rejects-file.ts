import { open, stat } from 'node:fs/promises';
import { ImportError, type ImportRow } from '../../import/read/source.ts';
import { refusedLine } from '../../import/send/ledger/ledger.ts';
import type { JournalFile } from '../../server/journal/disk.ts';

/** The file of refused rows, one JSON object a line. */
export type RejectsFile = {
  readonly add: (row: ImportRow & { readonly ok: false }) => Promise<void>;
  readonly close: () => Promise<void>;
};

const PRIVATE = 0o600;
const BUFFER_LENGTH = 64 * 1024;

/** Creates the file, or empties it. */
export async function createRejects(path: string, input: string): Promise<RejectsFile> {
  const file = await openRejects(path, input).catch((error) => {
    throw failed(path, error);
  });
  let lines = '';
  async function write(): Promise<void> {
    const text = lines;
    lines = '';
    await file.append(text).catch((error) => {
      throw failed(path, error);
    });
  }
  return {
    async add(row) {
      lines += refusedLine(row);
      if (lines.length > BUFFER_LENGTH) await write();
    },
    async close() {
      try {
        await write();
      } finally {
        await file.close();
      }
    },
  };
}

/** Creates the file, or empties it. Only this user may read it, since it holds what the rows hold. */
export async function openRejects(path: string, input: string): Promise<JournalFile> {
  if (await isSameFile(path, input))
    throw new ImportError(`--rejects is the imported file itself: name another one`);
  const handle = await open(path, 'a', PRIVATE);
  const found = await handle.stat();
  // An existing file keeps its mode when it is opened. A pipe or a device must keep its own.
  if (found.isFile()) await handle.chmod(PRIVATE);
  if (found.size > 0) await handle.truncate();
  return {
    append: (text) => handle.appendFile(text),
    sync: () => handle.datasync(),
    truncate: (bytes) => handle.truncate(bytes),
    close: () => handle.close(),
  };
}

async function isSameFile(path: string, input: string): Promise<boolean> {
  const [one, other] = await Promise.all([path, input].map((name) => stat(name).catch(() => undefined)));
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

function failed(path: string, error: NodeJS.ErrnoException): ImportError {
  if (error instanceof ImportError) return error;
  const { code, message } = error;
  const remedy = code === 'ENOSPC' ? 'the disk is full: name a file on another one' : (code ?? message);
  return new ImportError(`${path} can't be written: ${remedy}`);
}
