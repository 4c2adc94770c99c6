import { describe, expect, test } from 'vitest';
import type { Storage } from '../../src/tracker/buffer.ts';
import { memoryStorage } from '../../src/tracker/memory-storage.ts';
import { dependableStorage } from '../../src/tracker/storage.ts';
import { eventRecord } from '../fakes/records.ts';

const ENTRY = { at: 1, record: eventRecord(1) };
const HUNG = new Promise<never>(() => {});

/** A storage whose every operation ends as told. */
function brokenStorage(end: () => Promise<never>): Storage {
  return { buffer: { append: end, peek: end, remove: end }, state: { get: end, update: end } };
}

function dependable(...opened: (Storage | Error)[]) {
  const told: unknown[] = [];
  const storage = dependableStorage({
    open: () => {
      const next = opened.shift() ?? new Error('no more');
      if (next instanceof Error) throw next;
      return next;
    },
    fallback: memoryStorage,
    // What hangs is given up at once: no test waits.
    timeout: (promise) => (promise === HUNG ? Promise.reject(new Error('hung')) : promise),
    tellDegraded: (why) => told.push(why),
  });
  return { storage, told };
}

async function keepsRecords(storage: Storage): Promise<void> {
  expect(await storage.buffer.append([ENTRY])).toMatchObject({ waiting: 1 });
  expect(await storage.buffer.peek(25)).toMatchObject([ENTRY]);
}

test('where IndexedDB is missing, memory serves, and it is told', async () => {
  const { storage, told } = dependable(new Error('SecurityError'));

  await keepsRecords(storage);
  expect(told).toHaveLength(1);
});

describe('a failing operation', () => {
  test('is tried once more on a new connection', async () => {
    const lost = brokenStorage(() => Promise.reject(new Error('connection lost')));
    const { storage, told } = dependable(lost, memoryStorage());

    await keepsRecords(storage);
    expect(told).toEqual([]);
  });

  test('that fails again falls back to memory, and it is told once', async () => {
    const full = brokenStorage(() => Promise.reject(new Error('QuotaExceededError')));
    const { storage, told } = dependable(full, full);

    await keepsRecords(storage);
    await storage.state.update('pace', () => 1);
    expect(told).toHaveLength(1);
  });

  test('that never ends counts as failed', async () => {
    const hung = brokenStorage(() => HUNG);
    const { storage, told } = dependable(hung, hung);

    await keepsRecords(storage);
    expect(told).toHaveLength(1);
  });

  test('along with others changes the storage once', async () => {
    const full = brokenStorage(() => Promise.reject(new Error('QuotaExceededError')));
    const { storage, told } = dependable(full, full);

    await Promise.all([
      storage.buffer.append([ENTRY]),
      storage.buffer.append([ENTRY]),
      storage.buffer.peek(1),
    ]);

    expect(await storage.buffer.peek(25)).toHaveLength(2);
    expect(told).toHaveLength(1);
  });
});
