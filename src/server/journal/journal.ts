import { utf8Bytes } from '../../contract/rules/text.ts';
import type { JournalDisk, JournalFile, Self } from './disk.ts';
import { takeLock } from './lock.ts';
import {
  type KeptRecord,
  readSegment,
  recordLine,
  SEGMENT_NAME,
  segmentName,
  settledLine,
} from './segment.ts';

/** Marks a record as settled by the relay: no later process sends it. */
type Settle = () => void;

/** Records on disk that the relay has not settled. */
export type Journal = {
  /** What earlier processes left, oldest first. */
  readonly left: readonly { readonly record: KeptRecord; readonly settle: Settle }[];
  /**
   * Resolves when the record is on disk, in the order of the calls. Calls made during a write share the next one.
   * Rejects with the system's error, and the record is then not in the journal.
   */
  readonly append: (record: KeptRecord) => Promise<Settle>;
  /** Resolves when everything is written and the lock is free. */
  readonly close: () => Promise<void>;
};

// A new file after this many bytes. A file is removed when all its records are settled.
const SEGMENT_BYTES = 1024 * 1024;

type Segment = {
  readonly name: string;
  /** Records in it that are not settled. */
  open: number;
  bytes: number;
};

type Pending = {
  readonly record: KeptRecord;
  readonly resolve: (settle: Settle) => void;
  readonly reject: (error: unknown) => void;
};

type State = {
  readonly disk: JournalDisk;
  /** Oldest first. They are removed in this order: a later one says which records of an earlier one are settled. */
  readonly segments: Segment[];
  /** The last segment's, while it can be appended to. */
  file: JournalFile | undefined;
  nextNumber: number;
  readonly pending: Pending[];
  readonly settled: string[];
  writing: Promise<void> | undefined;
};

/**
 * Opens a journal and reads what is left in it. Rejects if another process may have it open.
 *
 * @param onDamage gets the place of each line that can't be read
 */
export async function openJournal(
  disk: JournalDisk,
  self: Self,
  onDamage: (where: string) => void,
): Promise<Journal> {
  const lock = await takeLock(disk, self);
  const state: State = {
    disk,
    segments: [],
    file: undefined,
    nextNumber: 1,
    pending: [],
    settled: [],
    writing: undefined,
  };
  const left = await readLeft(state, onDamage).catch(async (error) => {
    await disk.remove(lock);
    throw error;
  });
  await removeSettled(state);
  return {
    left: left.map(([record, segment]) => ({ record, settle: settleIn(state, segment, record.id) })),
    append: (record) =>
      new Promise((resolve, reject) => {
        state.pending.push({ record, resolve, reject });
        write(state);
      }),
    close: async () => {
      await state.writing;
      // All of it is synced.
      await state.file?.close().catch(() => {});
      state.file = undefined;
      await removeSettled(state);
      await disk.remove(lock);
    },
  };
}

async function readLeft(
  state: State,
  onDamage: (where: string) => void,
): Promise<readonly (readonly [KeptRecord, Segment])[]> {
  const { disk, segments } = state;
  const left = new Map<string, readonly [KeptRecord, Segment]>();
  const drop = (id: string) => {
    const [, segment] = left.get(id) ?? [];
    if (segment !== undefined) segment.open -= 1;
    left.delete(id);
  };
  for (const name of (await disk.list()).filter((each) => SEGMENT_NAME.test(each)).sort()) {
    const segment: Segment = { name, open: 0, bytes: SEGMENT_BYTES };
    segments.push(segment);
    state.nextNumber = Number.parseInt(name, 10) + 1;
    const { lines, damaged } = readSegment(await disk.read(name));
    for (const number of damaged) onDamage(`${name}, line ${number}`);
    for (const line of lines) {
      if ('settled' in line) for (const id of line.settled) drop(id);
      else {
        // The same call, made twice. One record is enough.
        drop(line.id);
        left.set(line.id, [line, segment]);
        segment.open += 1;
      }
    }
  }
  return [...left.values()];
}

function settleIn(state: State, segment: Segment, id: string): Settle {
  return () => {
    segment.open -= 1;
    state.settled.push(id);
    write(state);
  };
}

function write(state: State): void {
  state.writing ??= writeAll(state);
}

async function writeAll(state: State): Promise<void> {
  // Calls of one task share a write.
  await Promise.resolve();
  while (state.pending.length + state.settled.length > 0) await writeGroup(state);
  state.writing = undefined;
}

/** Writes what has gathered. Never rejects: the calls do. */
async function writeGroup(state: State): Promise<void> {
  const group = state.pending.splice(0);
  const settled = state.settled.splice(0);
  const lines = group.map(({ record }) => recordLine(record));
  const text = (settled.length > 0 ? settledLine(settled) : '') + lines.join('');
  try {
    const [segment, file] = await openSegment(state);
    await file.append(text);
    // If a crash takes marks of settled records, they are sent again, and the relay knows them.
    if (group.length > 0) await file.sync();
    segment.bytes += utf8Bytes(text);
    segment.open += group.length;
    for (const { record, resolve } of group) resolve(settleIn(state, segment, record.id));
  } catch (error) {
    await abandonSegment(state);
    for (const { reject } of group) reject(error);
  }
  await removeSettled(state);
}

async function openSegment(state: State): Promise<readonly [Segment, JournalFile]> {
  const { disk, segments, file } = state;
  const last = segments.at(-1);
  if (file !== undefined && last !== undefined && last.bytes < SEGMENT_BYTES) return [last, file];
  state.file = undefined;
  await file?.close();
  const segment: Segment = { name: segmentName(state.nextNumber++), open: 0, bytes: 0 };
  const opened = await disk.create(segment.name);
  segments.push(segment);
  state.file = opened;
  return [segment, opened];
}

/** After a failed write: cuts off what may be in the file, since its calls reject. The next write takes a new file. */
async function abandonSegment(state: State): Promise<void> {
  const { segments, file } = state;
  state.file = undefined;
  try {
    await file?.truncate(segments.at(-1)?.bytes ?? 0);
    await file?.close();
  } catch {
    // Then the next process may send a record whose call has rejected.
  }
}

async function removeSettled({ disk, segments, file }: State): Promise<void> {
  for (let first = segments[0]; first?.open === 0; first = segments[0]) {
    if (segments.length === 1 && file !== undefined) return;
    segments.shift();
    // If it stays, the next process sends its records again, and the relay knows them.
    await disk.remove(first.name).catch(() => {});
  }
}
