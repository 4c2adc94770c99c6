import { describe, expect, test } from 'vitest';
import { peekInto } from '../../src/inspector/peek.ts';
import { PACE } from '../../src/tracker/delivery/send-rate.ts';
import { indexedDbStorage } from '../../src/tracker/store/indexed-db-store.ts';
import type { Entry } from '../../src/tracker/store/record-store.ts';
import { ADDED_TO_CART, idOf } from '../fakes/records.ts';

const newName = () => `peek ${crypto.randomUUID()}`;

const entries = (count: number): Entry[] =>
  Array.from({ length: count }, (_, index) => ({
    at: index + 1,
    record: { kind: 'event', id: idOf(index + 1), ...ADDED_TO_CART },
  }));

const namesOfAll = async () => (await indexedDB.databases()).map(({ name }) => name);

const remove = (name: string) =>
  new Promise<string>((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve('gone');
    request.onblocked = () => resolve('blocked');
  });

describe('a look into the buffer', () => {
  test('finds what waits, oldest first and no more than 50, and the state beside it', async () => {
    const name = newName();
    const storage = indexedDbStorage(name);
    // In rows of 25, 5, 25 and 5.
    await storage.append(entries(60).slice(0, 30));
    await storage.append(entries(60).slice(30));
    await storage.update(PACE, () => ({ failures: 2 }));

    const found = await peekInto(name).look();

    expect(found).toMatchObject({ kind: 'there', pace: { failures: 2 }, counts: { made: 60 } });
    expect(found.kind === 'there' && found.oldest.map(({ at }) => at)).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
  });

  test('finds rows of one record, one after the other', async () => {
    const name = newName();
    const storage = indexedDbStorage(name);
    for (const entry of entries(4)) await storage.append([entry]);

    const found = await peekInto(name).look();

    expect(found.kind === 'there' && found.oldest).toEqual(entries(4));
  });

  test('changes nothing', async () => {
    const name = newName();
    const storage = indexedDbStorage(name);
    await storage.append(entries(3));
    const before = await storage.peek(10);

    await peekInto(name).look();

    expect(await storage.peek(10)).toEqual(before);
  });

  test.each([
    ['asked for its databases', true],
    ['that can’t be asked for them', false],
  ])('makes no database where there is none, in a browser %s', async (_, canBeAsked) => {
    const name = newName();
    const { databases } = indexedDB;
    if (!canBeAsked) Object.defineProperty(indexedDB, 'databases', { value: undefined, configurable: true });

    const peek = peekInto(name);
    expect(await peek.look()).toEqual({ kind: 'missing' });
    expect(await peek.look()).toEqual({ kind: 'missing' });

    Object.defineProperty(indexedDB, 'databases', { value: databases, configurable: true });
    expect(await namesOfAll()).not.toContain(name);
    // And the tracker makes one as ever.
    await indexedDbStorage(name).append(entries(1));
    expect(await peek.look()).toMatchObject({ kind: 'there', oldest: entries(1) });
  });

  test('stands in nobody’s way: the database can be removed, and is found when it is back', async () => {
    const name = newName();
    await indexedDbStorage(name).append(entries(1));
    const peek = peekInto(name);
    await peek.look();

    expect(await remove(name)).toBe('gone');

    expect(await peek.look()).toEqual({ kind: 'missing' });
    await indexedDbStorage(name).append(entries(2));
    expect(await peek.look()).toMatchObject({ oldest: entries(2) });
  });

  test('that is closed holds nothing, and opens it again', async () => {
    const name = newName();
    await indexedDbStorage(name).append(entries(1));
    const peek = peekInto(name);
    await peek.look();
    const closed: string[] = [];
    const { close } = IDBDatabase.prototype;
    IDBDatabase.prototype.close = function () {
      closed.push(this.name);
      close.call(this);
    };

    peek.close();

    await expect.poll(() => closed).toEqual([name]);
    IDBDatabase.prototype.close = close;
    expect(await peek.look()).toMatchObject({ oldest: entries(1) });
  });

  test('says why where the database is not a tracker’s', async () => {
    const name = newName();
    await new Promise((resolve) => {
      indexedDB.open(name).onsuccess = resolve;
    });

    expect(await peekInto(name).look()).toEqual({
      kind: 'unreadable',
      why: expect.stringContaining('NotFoundError'),
    });
  });

  test('that breaks off tells the page nothing, and holds nothing', async () => {
    const name = newName();
    await indexedDbStorage(name).append(entries(1));
    const untold: unknown[] = [];
    const hear = (event: PromiseRejectionEvent) => untold.push(event.reason);
    addEventListener('unhandledrejection', hear);
    const { transaction } = IDBDatabase.prototype;
    // As when the site's data is cleared in that moment.
    IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...call: [string]) {
      const made = transaction.apply(this, call);
      queueMicrotask(() => made.abort());
      return made;
    } as typeof transaction;

    const peek = peekInto(name);
    expect(await peek.look()).toMatchObject({ kind: 'unreadable' });
    IDBDatabase.prototype.transaction = transaction;
    // Browsers tell of these at the end of a task.
    await new Promise((resolve) => setTimeout(resolve));
    removeEventListener('unhandledrejection', hear);

    expect(untold).toEqual([]);
    expect(await peek.look()).toMatchObject({ kind: 'there' });
    peek.close();
  });

  test('says so where there is no answer', async () => {
    const name = newName();
    await indexedDbStorage(name).append(entries(1));
    const { open } = indexedDB;
    Object.defineProperty(indexedDB, 'open', { value: () => new EventTarget(), configurable: true });

    const found = await peekInto(name).look();

    Object.defineProperty(indexedDB, 'open', { value: open, configurable: true });
    expect(found).toEqual({ kind: 'unreadable', why: 'no answer in 2 s' });
  });
});
