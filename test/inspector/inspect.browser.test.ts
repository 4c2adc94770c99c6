import { describe, expect, test } from 'vitest';
import { inspectTracker } from '../../src/tracker/inspect.ts';
import { nameOf } from '../../src/tracker/page/settings.ts';
import type { Entry } from '../../src/tracker/record/call.ts';
import { NO_VISITOR, type Visitor } from '../../src/tracker/record/visitor.ts';
import { connect } from '../../src/tracker/store/database.ts';
import type { RecordStore } from '../../src/tracker/store/record-store.ts';
import { recordStore } from '../../src/tracker/store/record-store.ts';
import { idOf } from '../fakes/records.ts';

const newEndpoint = () => `https://${crypto.randomUUID()}.example.com`;

const entries = (count: number, changed: Partial<Entry> = {}): Entry[] =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'event',
    id: idOf(index + 1),
    wall: index + 1,
    mono: index + 1,
    at: index + 1,
    json: '"eventName":"Added to Cart","eventData":{"Price":39.8}',
    userId: 'johndoe',
    ...changed,
  }));

const VISITOR: Visitor = { ...NO_VISITOR, device: 'a device', anonymousId: 'someone' };

const append = (store: RecordStore, these: readonly Entry[], visitor = VISITOR) =>
  store.append(() => ({ visitor, reported: [], entries: these, clears: false }));

const storeOf = (endpoint: string) => {
  const connection = connect(nameOf(endpoint));
  return recordStore(async (mode, operation) =>
    (await connection)(mode, (objects) => operation(objects, () => {})),
  );
};

/** Puts whatever it is where the tracker's state and rows are. */
async function put(
  endpoint: string,
  values: { readonly [key: string]: unknown },
  rows: readonly unknown[] = [],
) {
  const request = indexedDB.open(nameOf(endpoint));
  await new Promise((resolve) => {
    request.onsuccess = resolve;
  });
  const transaction = request.result.transaction('records', 'readwrite');
  const store = transaction.objectStore('records');
  for (const [key, value] of Object.entries(values)) store.put(value, key);
  for (const row of rows) store.add(row);
  await new Promise((resolve) => {
    transaction.oncomplete = resolve;
  });
  request.result.close();
}

async function bufferOf(endpoint: string) {
  const { buffer } = await inspectTracker(endpoint).look();
  if (buffer.kind !== 'there') throw new Error(`no buffer, but ${JSON.stringify(buffer)}`);
  return buffer;
}

const namesOfAll = async () => (await indexedDB.databases()).map(({ name }) => name);

const remove = (name: string) =>
  new Promise<string>((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve('gone');
    request.onblocked = () => resolve('blocked');
  });

describe('inspecting a tracker’s stored state', () => {
  test('finds waiting records, oldest first and at most 50, and the state beside them', async () => {
    const endpoint = newEndpoint();
    const store = storeOf(endpoint);
    // In rows of 25, 5, 25 and 5.
    await append(store, entries(60).slice(0, 30));
    await append(store, entries(60).slice(30));
    const fullAt = Date.now() + 2_500;
    // The relay's clock is an hour behind: the pause was told by another.
    const pause = { since: Date.now(), until: Date.now() + 60_000, reason: 'unavailable' };
    await store.update('rate', () => ({ fullAt, failures: 2, pause }));
    await store.update('visitor', () => ({ ...VISITOR, clockOffset: 3_600_000 }));
    const before = Date.now() - 3_600_000;

    const { records, counts, now, ...state } = await bufferOf(endpoint);

    expect(state).toEqual({ kind: 'there', fullAt, pause: undefined, clockOffset: 3_600_000 });
    expect(now - before).toBeLessThan(60_000);
    expect(counts).toMatchObject({ tracked: 60, buffered: 60 });
    expect(records.map(({ at }) => at)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(records[0]).toEqual({
      id: idOf(1),
      kind: 'event',
      eventName: 'Added to Cart',
      userId: 'johndoe',
      anonymousId: undefined,
      at: 1,
      fields: { eventName: 'Added to Cart', eventData: { Price: 39.8 } },
    });
  });

  test('finds rows of one record, one after the other', async () => {
    const endpoint = newEndpoint();
    const store = storeOf(endpoint);
    for (const entry of entries(4)) await append(store, [entry]);

    const { records } = await bufferOf(endpoint);

    expect(records.map(({ id }) => id)).toEqual(entries(4).map(({ id }) => id));
  });

  test('finds a pause that has not ended', async () => {
    const endpoint = newEndpoint();
    const store = storeOf(endpoint);
    await append(store, entries(1));
    const pause = { until: Date.now() + 59_000, reason: 'unavailable' };
    const since = Date.now() - 1_000;
    await store.update('rate', () => ({ pause: { since, ...pause } }));

    expect(await bufferOf(endpoint)).toMatchObject({ pause, fullAt: undefined });
    await store.update('rate', () => ({ pause: { since, ...pause, until: Date.now() - 500 } }));
    expect(await bufferOf(endpoint)).toMatchObject({ pause: undefined });
  });

  test.each([
    ['in the database only', 1, undefined, true],
    ['in localStorage only', 0, '1', true],
    ['in neither', 0, undefined, false],
    ['opted in again, according to the database', 2, '1', false],
  ])('reports whether the visitor has opted out: %s', async (_, choices, mark, optedOut) => {
    const endpoint = newEndpoint();
    await append(storeOf(endpoint), [], { ...VISITOR, choices });
    if (mark !== undefined) localStorage.setItem(`${nameOf(endpoint)}?choices`, mark);

    expect(await inspectTracker(endpoint).look()).toMatchObject({ optedOut });
  });

  test('reads what is readable, whatever is stored', async () => {
    const endpoint = newEndpoint();
    await append(storeOf(endpoint), entries(1));
    const rows = [
      null,
      7,
      'text',
      { id: 'no row' },
      [null, 7, [], {}, { id: 1, kind: 'event' }, { id: 'x', kind: 'reset' }],
      [
        { id: 'bad json', kind: 'event', json: '"eventName":' },
        { id: 'no json', kind: 'user', at: 'yesterday', wall: 5, userId: 9 },
      ],
      entries(1, { id: 'last' }),
    ];
    const state = { visitor: 'text', counts: ['x'], rate: { fullAt: 'late', pause: 'long' } };
    await put(endpoint, state, rows);

    const { records, counts, fullAt, pause, clockOffset } = await bufferOf(endpoint);

    expect(records.map(({ id, at, fields }) => [id, at, fields === undefined])).toEqual([
      [idOf(1), 1, false],
      ['bad json', undefined, true],
      ['no json', 5, true],
      ['last', 1, false],
    ]);
    expect([counts.tracked, fullAt, pause, clockOffset]).toEqual([0, undefined, undefined, undefined]);
  });

  test('reads own fields alone, whatever a page has put on its prototypes', async () => {
    const endpoint = newEndpoint();
    await append(
      storeOf(endpoint),
      entries(1, { userId: undefined, json: '"attributes":{"list":[1]}', kind: 'user' }),
    );
    const spoilt = { userId: 'spoilt', clockOffset: 7, pause: {}, fullAt: 9, toJSON: () => 'spoilt' };
    Object.assign(Object.prototype, spoilt);
    Object.assign(Array.prototype, { toJSON: () => 'spoilt' });

    const { records, clockOffset } = await bufferOf(endpoint).finally(() => {
      for (const name of Object.keys(spoilt)) Reflect.deleteProperty(Object.prototype, name);
    });
    const text = JSON.stringify(records[0]?.fields);
    Reflect.deleteProperty(Array.prototype, 'toJSON');

    expect(text).toBe('{"attributes":{"list":[1]}}');
    expect([records[0]?.userId, clockOffset]).toEqual([undefined, undefined]);
  });

  test('changes nothing', async () => {
    const endpoint = newEndpoint();
    const storage = storeOf(endpoint);
    await append(storage, entries(3));
    const before = await storage.peek(10);

    await inspectTracker(endpoint).look();

    expect(await storage.peek(10)).toEqual(before);
  });

  test.each([
    ['that lists its databases', true],
    ['that does not list them', false],
  ])('creates no missing database, in a browser %s', async (_, canBeAsked) => {
    const endpoint = newEndpoint();
    const { databases } = indexedDB;
    if (!canBeAsked) Object.defineProperty(indexedDB, 'databases', { value: undefined, configurable: true });

    const inspection = inspectTracker(endpoint);
    expect(await inspection.look()).toEqual({ buffer: { kind: 'missing' }, optedOut: false });
    expect(await inspection.look()).toEqual({ buffer: { kind: 'missing' }, optedOut: false });

    Object.defineProperty(indexedDB, 'databases', { value: databases, configurable: true });
    expect(await namesOfAll()).not.toContain(nameOf(endpoint));
    // And the tracker makes one as ever.
    await append(storeOf(endpoint), entries(1));
    expect(await inspection.look()).toMatchObject({ buffer: { records: [{ id: idOf(1) }] } });
  });

  test('blocks no deletion of the database, and finds it when it is back', async () => {
    const endpoint = newEndpoint();
    await append(storeOf(endpoint), entries(1));
    const inspection = inspectTracker(endpoint);
    await inspection.look();

    expect(await remove(nameOf(endpoint))).toBe('gone');

    expect(await inspection.look()).toEqual({ buffer: { kind: 'missing' }, optedOut: false });
    await append(storeOf(endpoint), entries(2));
    expect(await inspection.look()).toMatchObject({
      buffer: { records: [{ id: idOf(1) }, { id: idOf(2) }] },
    });
  });

  test('holds nothing once it is closed, and can open again', async () => {
    const endpoint = newEndpoint();
    await append(storeOf(endpoint), entries(1));
    const inspection = inspectTracker(endpoint);
    await inspection.look();
    const closed: string[] = [];
    const { close } = IDBDatabase.prototype;
    IDBDatabase.prototype.close = function () {
      closed.push(this.name);
      close.call(this);
    };

    inspection.close();

    await expect.poll(() => closed).toEqual([nameOf(endpoint)]);
    IDBDatabase.prototype.close = close;
    expect(await inspection.look()).toMatchObject({ buffer: { records: [{ id: idOf(1) }] } });
  });

  test('reports why if the database is not a tracker’s', async () => {
    const endpoint = newEndpoint();
    await new Promise((resolve) => {
      indexedDB.open(nameOf(endpoint)).onsuccess = resolve;
    });

    expect(await inspectTracker(endpoint).look()).toMatchObject({
      buffer: { kind: 'unreadable', why: expect.stringContaining('NotFoundError') },
    });
  });

  test('reports nothing to the page and holds nothing if it breaks off', async () => {
    const endpoint = newEndpoint();
    await append(storeOf(endpoint), entries(1));
    const unreported: unknown[] = [];
    const onRejection = (event: PromiseRejectionEvent) => unreported.push(event.reason);
    addEventListener('unhandledrejection', onRejection);
    const { transaction } = IDBDatabase.prototype;
    // As when the site's data is cleared in that moment.
    IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...call: [string]) {
      const made = transaction.apply(this, call);
      queueMicrotask(() => made.abort());
      return made;
    } as typeof transaction;

    const inspection = inspectTracker(endpoint);
    expect(await inspection.look()).toMatchObject({ buffer: { kind: 'unreadable' } });
    IDBDatabase.prototype.transaction = transaction;
    // Browsers tell of these at the end of a task.
    await new Promise((resolve) => setTimeout(resolve));
    removeEventListener('unhandledrejection', onRejection);

    expect(unreported).toEqual([]);
    expect(await inspection.look()).toMatchObject({ buffer: { kind: 'there' } });
    inspection.close();
  });

  test('reports that there is no answer', async () => {
    const endpoint = newEndpoint();
    await append(storeOf(endpoint), entries(1));
    const { open } = indexedDB;
    Object.defineProperty(indexedDB, 'open', { value: () => new EventTarget(), configurable: true });

    const found = await inspectTracker(endpoint).look();

    Object.defineProperty(indexedDB, 'open', { value: open, configurable: true });
    expect(found).toMatchObject({ buffer: { kind: 'unreadable', why: 'Error: no answer in 2000 ms' } });
  });
});
