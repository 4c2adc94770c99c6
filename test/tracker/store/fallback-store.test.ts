import { describe, expect, test } from 'vitest';
import type { Timeout } from '../../../src/tracker/platform/time.ts';
import type { Entry } from '../../../src/tracker/record/call.ts';
import { openDatabase } from '../../../src/tracker/store/database.ts';
import { memoryTransact } from '../../../src/tracker/store/memory-store.ts';
import type { Connection } from '../../../src/tracker/store/objects.ts';
import { type RecordStore, recordStore } from '../../../src/tracker/store/record-store.ts';
import { storedEntry } from '../../fakes/records.ts';
import { settled } from '../../fakes/settled.ts';

const ENTRY = storedEntry(1);

const appendTo = (store: RecordStore, ...entries: readonly Entry[]) =>
  store.append((visitor) => ({ visitor, entries, clears: false }));

const storeOn = (connection: Connection) =>
  recordStore((mode, operation) => connection(mode, (objects) => operation(objects, () => {})));

const HUNG = new Promise<never>(() => {});

/** A connection whose every transaction ends as told. */
function brokenStorage(end: () => Promise<never>): Connection {
  return () => end();
}

/** A connection that works until it breaks. */
function brokenOnce(connection: Connection) {
  let isBroken = false;
  const guarded: Connection = (mode, operation) =>
    isBroken ? Promise.reject(new Error('connection lost')) : connection(mode, operation);
  return {
    storage: guarded,
    breaks: () => {
      isBroken = true;
    },
  };
}

function dependable(...opened: (Connection | Error)[]) {
  return dependableWith((promise) => promise, opened);
}

function dependableWith(timeout: Timeout, opened: (Connection | Error)[]) {
  const reported: unknown[] = [];
  const open = async () => {
    const next = opened.shift() ?? new Error('no more');
    if (next instanceof Error) throw next;
    return next;
  };
  const storage = recordStore(openDatabase(open, timeout, (why) => reported.push(why)));
  return { storage, reported };
}

async function keepsRecords(storage: RecordStore): Promise<void> {
  expect(await appendTo(storage, ENTRY)).toMatchObject({ waiting: 1 });
  expect(await storage.peek(25)).toMatchObject([{ id: ENTRY.id }]);
}

test('without IndexedDB memory is used, and degraded is emitted', async () => {
  const { storage, reported } = dependable(new Error('SecurityError'));

  await keepsRecords(storage);
  expect(reported).toHaveLength(1);
});

describe('a failing operation', () => {
  test('is retried once on a new connection', async () => {
    const lost = brokenStorage(() => Promise.reject(new Error('connection lost')));
    const { storage, reported } = dependable(lost, memoryTransact());

    await keepsRecords(storage);
    expect(reported).toEqual([]);
  });

  test('that fails again falls back to memory, and degraded is emitted once', async () => {
    const full = brokenStorage(() => Promise.reject(new Error('QuotaExceededError')));
    const { storage, reported } = dependable(full, full);

    await keepsRecords(storage);
    await storage.update('pace', () => 1);
    expect(reported).toHaveLength(1);
  });

  test('that never ends counts as failed', async () => {
    const hung = brokenStorage(() => HUNG);
    // What hangs is given up at once: no test waits.
    const impatient: Timeout = (promise) =>
      Promise.race([promise, settled().then(() => Promise.reject(new Error('hung')))]);
    const { storage, reported } = dependableWith(impatient, [hung, hung]);

    await keepsRecords(storage);
    expect(reported).toHaveLength(1);
  });

  test('and others like it change the store once', async () => {
    const full = brokenStorage(() => Promise.reject(new Error('QuotaExceededError')));
    const { storage, reported } = dependable(full, full);

    await Promise.all([appendTo(storage, ENTRY), appendTo(storage, ENTRY), storage.peek(1)]);

    expect(await storage.peek(25)).toHaveLength(2);
    expect(reported).toHaveLength(1);
  });
});

describe('operations that wait on a connection that breaks', () => {
  const entry = (seq: number) => storedEntry(seq, { at: seq });

  /** A connection whose operations hang until it is told how the nth of them ends. */
  function hanging() {
    const fail: ((why: Error) => void)[] = [];
    const hang = () => new Promise<never>((_, reject) => void fail.push(reject));
    return { connection: brokenStorage(hang), fail };
  }

  test('are all completed on the next one', async () => {
    const { connection, fail } = hanging();
    const next = memoryTransact();
    const { storage, reported } = dependable(connection, next);
    const all = [1, 2, 3].map((seq) => appendTo(storage, entry(seq)));

    await settled();
    for (const each of fail) each(new Error('connection lost'));
    await Promise.all(all);

    expect((await storeOn(next).peek(25)).map(({ at }) => at)).toEqual([1, 2, 3]);
    expect(reported).toEqual([]);
  });

  test('run before those that are started after it', async () => {
    const { connection, fail } = hanging();
    const next = memoryTransact();
    const { storage } = dependable(connection, next);
    const all = [1, 2].map((seq) => appendTo(storage, entry(seq)));

    await settled();
    for (const each of fail) each(new Error('connection lost'));
    await all[0];
    await appendTo(storage, entry(3));
    await Promise.all(all);

    expect((await storeOn(next).peek(25)).map(({ at }) => at)).toEqual([1, 2, 3]);
  });

  test('end in memory if the next one breaks too, with none missing', async () => {
    const [one, other] = [hanging(), hanging()];
    const { storage, reported } = dependable(one.connection, other.connection);
    const all = [1, 2, 3].map((seq) => appendTo(storage, entry(seq)));
    await settled();
    for (const each of one.fail) each(new Error('connection lost'));
    await settled();
    for (const each of other.fail) each(new Error('connection lost'));
    await Promise.all(all);

    expect((await storage.peek(25)).map(({ at }) => at)).toEqual([1, 2, 3]);
    expect(reported).toHaveLength(1);
  });

  test('that succeed on the next connection allow a later one its own second chance', async () => {
    const one = hanging();
    const second = brokenOnce(memoryTransact());
    const { storage, reported } = dependable(one.connection, second.storage, memoryTransact());
    const append = appendTo(storage, entry(1));
    await settled();
    one.fail[0]?.(new Error('connection lost'));
    await append;

    second.breaks();
    await keepsRecords(storage);

    expect(reported).toEqual([]);
  });
});

test('records read from a database that then broke are not confused with those in memory', async () => {
  const database = memoryTransact();
  const breaks = brokenOnce(database);
  const { storage } = dependable(breaks.storage);
  breaks.breaks();
  await appendTo(storage, storedEntry(2, { at: 2 }));

  // A database counts its keys from 1.
  await storage.remove([ENTRY], () => 'delivered');

  expect(await storage.peek(25)).toMatchObject([{ at: 2 }]);
});

test('an abandoned append writes nothing when its connection answers after all', async () => {
  const database = memoryTransact();
  let answer = () => {};
  const late: Connection = (mode, operation) =>
    new Promise((resolve, reject) => {
      answer = () => void database(mode, operation).then(resolve, reject);
    });
  const { store, giveUp } = givenUp(late, memoryTransact());
  const appended = appendTo(store, ENTRY);
  await settled();

  giveUp();
  await appended;
  answer();
  await settled();

  expect(await storeOn(database).peek(25)).toEqual([]);
  expect(await store.peek(25)).toHaveLength(1);
});

test('a change that throws fails its append, and is not retried forever', async () => {
  const { storage } = dependable(memoryTransact(), memoryTransact());

  const appended = storage.append(() => {
    throw new Error('a fault of ours');
  });

  await expect(appended).rejects.toThrow('a fault of ours');
});

/** A store on the first connection, until it is given up for the next one. */
function givenUp(...connections: Connection[]) {
  let giveUp = () => {};
  const timeout: Timeout = (promise) =>
    new Promise((resolve, reject) => {
      giveUp = () => reject(new Error('no answer'));
      promise.then(resolve, reject);
    });
  const open = async () => connections.shift() ?? memoryTransact();
  return { store: recordStore(openDatabase(open, timeout, () => {})), giveUp: () => giveUp() };
}
