import { utf8Bytes } from '../../../contract/rules/text.ts';
import type { JournalDisk, JournalFile, Self } from '../../../server/journal/disk.ts';
import { takeLock } from '../../../server/journal/lock.ts';
import { SEGMENT_NAME, segmentName } from '../../../server/journal/segment.ts';
import { formatLine, type Line, parseLines } from './journal-line.ts';

/** A folder that records which rows of a file are sent, so that the next run continues from there. */
export type Journal = {
  /** The lines of earlier runs: the first holds everything, each later one what has changed. */
  readonly left: readonly Line[];
  /** True if the next line begins a file, and must hold everything. */
  readonly beginsFile: () => boolean;
  /** Resolves when the line is on disk. After it has rejected, no more lines may be appended. */
  readonly append: (line: Line) => Promise<void>;
  /** Frees the folder for the next run. */
  readonly close: () => Promise<void>;
  /** Removes the journal's files. */
  readonly remove: () => Promise<void>;
};

// A new file after this many bytes, and no sooner than it has doubled. Its first line holds everything, so the earlier
// ones can go.
const FILE_BYTES = 1024 * 1024;

/**
 * Opens a journal. Rejects if another process may have it open, if a line in its middle can't be read, or if its files
 * are something else, such as the journal of a server or of another release.
 */
export async function openJournal(disk: JournalDisk, self: Self): Promise<Journal> {
  const lock = await takeLock(disk, self);
  const { names, left } = await readLeft(disk).catch(async (error) => {
    await disk.remove(lock);
    throw error;
  });
  let nextNumber = Number.parseInt(names.at(-1) ?? '0', 10) + 1;
  let file: JournalFile | undefined;
  let bytes = 0;
  let mostBytes = FILE_BYTES;

  async function beginFile(text: string): Promise<void> {
    await file?.close();
    const name = segmentName(nextNumber++);
    file = await disk.create(name);
    await file.append(text);
    await file.sync();
    for (const old of names.splice(0)) await disk.remove(old);
    names.push(name);
    bytes = 0;
    mostBytes = Math.max(FILE_BYTES, utf8Bytes(text));
  }

  const close = async () => {
    await file?.close();
    file = undefined;
    await disk.remove(lock);
  };
  const beginsFile = () => file === undefined || bytes > mostBytes;
  return {
    left,
    beginsFile,
    append: async (line) => {
      const text = formatLine(line);
      if (beginsFile()) await beginFile(text);
      else {
        await file?.append(text);
        await file?.sync();
        bytes += utf8Bytes(text);
      }
    },
    close,
    remove: async () => {
      for (const name of names.splice(0)) await disk.remove(name);
      await close();
    },
  };
}

/** Reads the newest file that has a whole first line: a crash may have left a newer one without it. */
async function readLeft(disk: JournalDisk): Promise<{ names: string[]; left: readonly Line[] }> {
  const names = (await disk.list()).filter((name) => SEGMENT_NAME.test(name)).sort();
  let foreign: string | undefined;
  for (const name of names.toReversed()) {
    const text = await disk.read(name);
    const read = parseLines(text);
    if (!read.ok) throw new Error(`line ${read.damagedLine} of ${name} is damaged`);
    if (read.lines[0]?.import !== undefined) return { names, left: read.lines };
    // A crash leaves a first line without an end. Whole lines are something else, which must not be removed.
    if (text.includes('\n')) foreign ??= name;
  }
  if (foreign !== undefined) throw new Error(`${foreign} was not written by an import of this version`);
  return { names, left: [] };
}
