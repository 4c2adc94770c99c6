import { type FileHandle, open, stat } from 'node:fs/promises';
import { ImportError, type ImportRow } from '../../import/read/source.ts';

/** The file of refused rows, one JSON object a line. */
export type RejectsFile = {
  readonly add: (row: ImportRow & { readonly ok: false }) => Promise<void>;
  readonly close: () => Promise<void>;
};

const PRIVATE = 0o600;
const BUFFER_LENGTH = 64 * 1024;

/** Creates the file, or empties it. Only this user may read it, since it holds what the rows hold. */
export async function createRejects(path: string, input: string): Promise<RejectsFile> {
  if (await isSameFile(path, input))
    throw new ImportError(`--rejects is the imported file itself: name another one`);
  const handle = await open(path, 'w', PRIVATE).catch((error) => {
    throw failed(path, error);
  });
  // A file from before keeps its mode when it is emptied.
  await handle.chmod(PRIVATE);
  let lines = '';
  async function write(): Promise<void> {
    const text = lines;
    lines = '';
    await append(handle, text, path);
  }
  return {
    async add({ number, line, issues, row }) {
      const reasons = issues.map(({ path: field, message }) => `${field} ${message}`.trim());
      lines += `${JSON.stringify({ number, line, reasons, row })}\n`;
      if (lines.length > BUFFER_LENGTH) await write();
    },
    async close() {
      try {
        await write();
      } finally {
        await handle.close();
      }
    },
  };
}

async function isSameFile(path: string, input: string): Promise<boolean> {
  const [one, other] = await Promise.all([path, input].map((name) => stat(name).catch(() => undefined)));
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

async function append(handle: FileHandle, text: string, path: string): Promise<void> {
  await handle.appendFile(text).catch((error) => {
    throw failed(path, error);
  });
}

function failed(path: string, { code, message }: NodeJS.ErrnoException): ImportError {
  const remedy = code === 'ENOSPC' ? 'the disk is full: name a file on another one' : (code ?? message);
  return new ImportError(`${path} can't be written: ${remedy}`);
}
