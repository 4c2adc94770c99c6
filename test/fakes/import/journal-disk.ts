import type { JournalDisk, Self } from '../../../src/server/journal/disk.ts';
import { settled } from '../settled.ts';

export const THIS_PROCESS: Self = {
  pid: 12,
  startedAt: 1_000,
  boot: 'first',
  host: 'box',
  isRunning: (pid) => pid === 12,
};

/** The next process on the same machine, after the last one has crashed. */
export const nextProcess = ({ pid, ...self }: Self): Self => ({
  ...self,
  pid: pid + 1,
  isRunning: (other) => other === pid + 1,
});

type File = { text: string; syncedLength: number };

const never = () => new Promise<never>(() => {});

/** A disk that can lose what was not synced, in the middle of a line, and be full. */
export function fakeDisk(files = new Map<string, File>()) {
  const state = { steps: 0, crashAt: Number.POSITIVE_INFINITY, syncs: 0 };
  /** What goes wrong, for as long as it is set. */
  const trouble: { is?: 'full' | 'sync fails' | undefined } = {};

  /** One step of a process. After the one at which it crashes, nothing happens any more. */
  async function step<T>(act: () => T): Promise<T> {
    state.steps += 1;
    if (state.steps > state.crashAt) return never();
    const result = act();
    return state.steps === state.crashAt ? never() : result;
  }
  const fileAt = (name: string): File => {
    const file = files.get(name);
    if (file === undefined) throw new Error(`ENOENT: no such file ${name}`);
    return file;
  };
  const disk: JournalDisk = {
    list: () => step(() => [...files.keys()]),
    read: (name) => step(() => fileAt(name).text),
    create: (name) =>
      step(() => {
        if (files.has(name)) throw new Error(`EEXIST: file already exists ${name}`);
        const file: File = { text: '', syncedLength: 0 };
        files.set(name, file);
        return {
          append: (text) =>
            step(() => {
              // As much of it as there is room for.
              const isFull = trouble.is === 'full';
              file.text += isFull ? text.slice(0, text.length / 2) : text;
              if (isFull) throw new Error('ENOSPC: no space left on device, write');
            }),
          sync: async () => {
            const { length } = file.text;
            // The slowest thing that a disk does.
            await settled();
            await step(() => {
              state.syncs += 1;
              if (trouble.is === 'sync fails') throw new Error('EIO: i/o error, fsync');
              file.syncedLength = length;
            });
          },
          truncate: (bytes) =>
            step(() => {
              file.text = file.text.slice(0, bytes);
            }),
          close: () => step(() => {}),
        };
      }),
    remove: (name) => step(() => void files.delete(name)),
  };
  return {
    disk,
    state,
    trouble,
    files,
    /** The disk as the next process finds it: of what was not synced, only this share is there. */
    afterCrash: (share: number) =>
      fakeDisk(
        new Map(
          [...files].map(([name, { text, syncedLength }]) => {
            const length = syncedLength + Math.floor((text.length - syncedLength) * share);
            return [name, { text: text.slice(0, length), syncedLength: length }];
          }),
        ),
      ),
  };
}
