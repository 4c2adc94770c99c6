import { describe, expect, test } from 'vitest';
import { withFallback } from '../../../src/tracker/store/fallback-store.ts';
import { memoryStore } from '../../../src/tracker/store/memory-store.ts';
import type { RecordStore } from '../../../src/tracker/store/record-store.ts';
import { eventRecord } from '../../fakes/records.ts';
import { settled } from '../../fakes/settled.ts';

const ENTRY = { at: 1, record: eventRecord(1) };
const HUNG = new Promise<never>(() => {});

/** A storage whose every operation ends as told. */
function brokenStorage(end: () => Promise<never>): RecordStore {
  return {
    append: end,
    peek: end,
    remove: end,
    clear: end,
    get: end,
    update: end,
  };
}

/** A storage that works until it breaks. */
function brokenOnce(storage: RecordStore) {
  let isBroken = false;
  const unlessBroken = <T>(operation: () => Promise<T>): Promise<T> =>
    isBroken ? Promise.reject(new Error('connection lost')) : operation();
  const guarded: RecordStore = {
    append: (entries) => unlessBroken(() => storage.append(entries)),
    peek: (...which) => unlessBroken(() => storage.peek(...which)),
    remove: (records, end) => unlessBroken(() => storage.remove(records, end)),
    clear: () => unlessBroken(() => storage.clear()),
    get: (name) => unlessBroken(() => storage.get(name)),
    update: (name, change) => unlessBroken(() => storage.update(name, change)),
  };
  return {
    storage: guarded,
    breaks: () => {
      isBroken = true;
    },
  };
}

function dependable(...opened: (RecordStore | Error)[]) {
  const told: unknown[] = [];
  const storage = withFallback(
    () => {
      const next = opened.shift() ?? new Error('no more');
      if (next instanceof Error) throw next;
      return next;
    },
    // What hangs is given up at once: no test waits.
    (promise) => (promise === HUNG ? Promise.reject(new Error('hung')) : promise),
    (why) => told.push(why),
  );
  return { storage, told };
}

async function keepsRecords(storage: RecordStore): Promise<void> {
  expect(await storage.append([ENTRY])).toMatchObject({ waiting: 1 });
  expect(await storage.peek(25)).toMatchObject([ENTRY]);
}

test('where IndexedDB is missing, memory serves, and it is told', async () => {
  const { storage, told } = dependable(new Error('SecurityError'));

  await keepsRecords(storage);
  expect(told).toHaveLength(1);
});

describe('a failing operation', () => {
  test('is tried once more on a new connection', async () => {
    const lost = brokenStorage(() => Promise.reject(new Error('connection lost')));
    const { storage, told } = dependable(lost, memoryStore());

    await keepsRecords(storage);
    expect(told).toEqual([]);
  });

  test('that fails again falls back to memory, and it is told once', async () => {
    const full = brokenStorage(() => Promise.reject(new Error('QuotaExceededError')));
    const { storage, told } = dependable(full, full);

    await keepsRecords(storage);
    await storage.update('pace', () => 1);
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

    await Promise.all([storage.append([ENTRY]), storage.append([ENTRY]), storage.peek(1)]);

    expect(await storage.peek(25)).toHaveLength(2);
    expect(told).toHaveLength(1);
  });
});

describe('operations that wait on a connection that breaks', () => {
  const entry = (seq: number) => ({ at: seq, record: eventRecord(seq) });

  /** A connection whose operations hang until it is told how the nth of them ends. */
  function hanging() {
    const fail: ((why: Error) => void)[] = [];
    const hang = () => new Promise<never>((_, reject) => void fail.push(reject));
    return { connection: brokenStorage(hang), fail };
  }

  test.each([
    ['the oldest', 0],
    ['one in the middle', 1],
    ['the newest', 2],
  ])('go on in their order on the next one when %s fails', async (_, first) => {
    const { connection, fail } = hanging();
    const next = memoryStore();
    const { storage, told } = dependable(connection, next);
    const all = [1, 2, 3].map((seq) => storage.append([entry(seq)]));

    fail[first]?.(new Error('connection lost'));
    await Promise.all(all);

    expect((await next.peek(25)).map(({ at }) => at)).toEqual([1, 2, 3]);
    expect(told).toEqual([]);
  });

  test('go on before those that are begun after it', async () => {
    const { connection, fail } = hanging();
    const next = memoryStore();
    const { storage } = dependable(connection, next);
    const all = [1, 2].map((seq) => storage.append([entry(seq)]));

    for (const each of fail) each(new Error('connection lost'));
    await all[0];
    await storage.append([entry(3)]);
    await Promise.all(all);

    expect((await next.peek(25)).map(({ at }) => at)).toEqual([1, 2, 3]);
  });

  test('end in memory where the next one breaks too, and all of them are there', async () => {
    const [one, other] = [hanging(), hanging()];
    const { storage, told } = dependable(one.connection, other.connection);
    const all = [1, 2, 3].map((seq) => storage.append([entry(seq)]));
    one.fail[0]?.(new Error('connection lost'));
    await settled();
    other.fail[0]?.(new Error('connection lost'));
    await Promise.all(all);

    expect((await storage.peek(25)).map(({ at }) => at)).toEqual([1, 2, 3]);
    expect(told).toHaveLength(1);
  });

  test('and succeed on the next one give the connection after that its own second chance', async () => {
    const one = hanging();
    const second = brokenOnce(memoryStore());
    const { storage, told } = dependable(one.connection, second.storage, memoryStore());
    const append = storage.append([entry(1)]);
    one.fail[0]?.(new Error('connection lost'));
    await append;

    second.breaks();
    await keepsRecords(storage);

    expect(told).toEqual([]);
  });
});

test('records read from a database that then broke are not taken for those in memory', async () => {
  const database = memoryStore();
  const read = [{ ...ENTRY, key: 1 }];
  const breaks = brokenOnce({ ...database, peek: async () => read });
  const { storage } = dependable(breaks.storage);
  const [old] = await storage.peek(1);
  breaks.breaks();
  await storage.append([{ at: 2, record: eventRecord(2) }]);

  await storage.remove(old ? [old] : [], 'delivered');

  expect(await storage.peek(25)).toMatchObject([{ at: 2 }]);
});
