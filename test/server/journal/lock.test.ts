import { describe, expect, test } from 'vitest';
import type { Self } from '../../../src/server/journal/disk.ts';
import { takeLock } from '../../../src/server/journal/lock.ts';
import { fakeDisk, nextProcess, THIS_PROCESS } from '../../fakes/import/journal-disk.ts';

/** Two processes of one machine that both run. */
const RUNNING: Self = { ...THIS_PROCESS, isRunning: () => true };
const OTHER: Self = { ...RUNNING, pid: 13 };

describe('the lock of a journal', () => {
  test.each([
    ['another process of this machine', OTHER, RUNNING],
    ['the same process', RUNNING, RUNNING],
    ['a process of another machine, which may run', RUNNING, { ...RUNNING, host: 'other_box' }],
  ])('is refused while it is held by %s', async (_, self, holder) => {
    const { disk, files } = fakeDisk();
    const held = await takeLock(disk, holder);

    await expect(takeLock(disk, self)).rejects.toThrow(
      `process ${holder.pid} on ${holder.host} uses it: give each process a journal of its own, or remove ${held} if that process is gone`,
    );

    expect([...files.keys()]).toEqual([held]);
  });

  test.each([
    ['is gone', nextProcess(THIS_PROCESS)],
    ['had the same number, as in a container', { ...THIS_PROCESS, startedAt: 2_000 }],
    ['ran before the machine was started again', { ...OTHER, boot: 'second' }],
  ])('passes to the next process if its holder %s', async (_, self) => {
    const { disk, files } = fakeDisk();
    await takeLock(disk, THIS_PROCESS);

    const taken = await takeLock(disk, self);

    expect([...files.keys()]).toEqual([taken]);
  });

  test('is never held by two processes that try at the same moment', async () => {
    const { disk, files } = fakeDisk();

    const taken = await Promise.allSettled([takeLock(disk, RUNNING), takeLock(disk, OTHER)]);

    const held = taken.filter(({ status }) => status === 'fulfilled');
    expect(held.length).toBeLessThanOrEqual(1);
    expect(files.size).toBe(held.length);
  });

  test('is free after a refused one was removed', async () => {
    const { disk, files } = fakeDisk();
    files.set('notes.txt', { text: '', syncedLength: 0 });
    const held = await takeLock(disk, RUNNING);
    await expect(takeLock(disk, OTHER)).rejects.toThrow();
    await disk.remove(held);

    await takeLock(disk, OTHER);

    expect(files.size).toBe(2);
  });
});
