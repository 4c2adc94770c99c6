import { expect, test } from 'vitest';
import { identityTokens } from '../../../src/tracker/add-ons/identity-tokens.ts';
import { resolveOptions } from '../../../src/tracker/options.ts';
import { createPage } from '../../../src/tracker/page/create-page.ts';
import { allUnsettled, stored } from '../../../src/tracker/page/unsettled.ts';
import type { Entry } from '../../../src/tracker/record/call.ts';
import { memoryStore } from '../../../src/tracker/store/memory-store.ts';
import type { RecordStore } from '../../../src/tracker/store/record-store.ts';
import { jwt } from '../../fakes/browser/identity.ts';
import { fakePlatform } from '../../fakes/platform.ts';
import { settled } from '../../fakes/settled.ts';

/** A page at which somebody is signed in, and what of a store may leave there. */
function pageOver(store: RecordStore) {
  const { platform, time } = fakePlatform({ storage: store });
  const settings = resolveOptions({ endpoint: 'https://t.example.com' });
  const page = createPage(platform, settings, () => {});
  const sendable = identityTokens((userId) => jwt({ cuid: userId })).sendable?.(page, () => {});
  const eventsOf = (userId: string, from: number, to: number): Entry[] =>
    Array.from({ length: to - from + 1 }, (_, n) => ({
      kind: 'event',
      id: `AAAAAAAAAAAAAAAAAAAAAA.${from + n}`,
      wall: time.now(),
      mono: time.now(),
      at: time.now(),
      json: '"eventName":"e"',
      userId,
    }));
  return {
    page,
    eventsOf,
    /** Signs somebody in, and waits for the token. */
    signIn: async (userId: string) => {
      page.visitor = { ...page.visitor, userId };
      sendable?.token(eventsOf(userId, 1, 1));
      await settled();
    },
    peek: async () => ((await sendable?.peek(25)) ?? []).map(({ id }) => Number(id.split('.')[1])),
    onUnload: (entries: readonly Entry[]) => sendable?.together(entries, true).map(({ id }) => id),
  };
}

const append = (store: RecordStore, entries: readonly Entry[]) =>
  store.append((visitor) => ({ visitor, entries, clears: false }));

test('a database that was deleted and recreated, with keys from 1, is read from its start', async () => {
  let store = memoryStore();
  const { peek, signIn, eventsOf } = pageOver({
    ...store,
    peek: (...which) => store.peek(...which),
    get: (name) => store.get(name),
  });
  await signIn('bob');
  await append(store, [...eventsOf('ann', 1, 40), ...eventsOf('bob', 41, 41)]);
  expect(await peek()).toEqual([41]);

  store = memoryStore();
  await append(store, eventsOf('bob', 1, 3));

  expect(await peek()).toEqual([1, 2, 3]);
});

test('records are found behind any number of skipped ones, and those once their token is there', async () => {
  const store = memoryStore();
  const { peek, signIn, eventsOf } = pageOver(store);
  await append(store, [...eventsOf('ann', 1, 60), ...eventsOf('bob', 61, 62)]);
  await signIn('bob');
  const before = await peek();
  await signIn('ann');
  const after = await peek();

  expect(before).toEqual([61, 62]);
  expect(after).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
});

test('a token that arrives during a read lets no later record overtake skipped ones of its user', async () => {
  const store = memoryStore();
  let midway = async () => {};
  // As IndexedDB does, which reads a few rows at a time.
  const peekSlowly: RecordStore['peek'] = async (limit, from, wanted) => {
    const all = await store.peek(99, from);
    const found = [];
    for (const entry of all) {
      if (entry.id.endsWith('.3')) await midway();
      if (wanted?.(entry)) found.push(entry);
    }
    return found.slice(0, limit);
  };
  const { peek, signIn, eventsOf, onUnload } = pageOver({ ...store, peek: peekSlowly });
  const entries = eventsOf('ann', 1, 6);
  await append(store, entries);
  let leaving: unknown;
  midway = async () => {
    await signIn('ann');
    leaving = onUnload(entries.slice(3));
  };

  expect(await peek()).toEqual([]);
  expect(leaving).toEqual([]);
  midway = async () => {};
  expect(await peek()).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a skipped record that is not read again hides and blocks no others', async () => {
  const store = memoryStore();
  const { peek, signIn, eventsOf, page } = pageOver(store);
  await append(store, eventsOf('ann', 1, 60));
  await signIn('bob');
  await peek();
  await peek();

  const { entries, waiting } = await append(store, eventsOf('bob', 61, 61));
  stored(page, entries, waiting);

  expect(page.isWhole).toBe(true);
  expect(page.skippedCount).toBe(60);
  expect(allUnsettled(page).map(({ userId }) => userId)).toContain('bob');
});

test('records set aside are not treated as skipped, and are found afterwards', async () => {
  const store = memoryStore();
  const { page, peek, signIn, eventsOf } = pageOver(store);
  const { entries } = await append(store, [
    ...eventsOf('ann', 1, 2),
    ...eventsOf('bob', 3, 4),
    ...eventsOf('ann', 5, 6),
  ]);
  await signIn('bob');
  const [, , third] = entries;
  if (third) page.setAside = [{ ...third, issues: [] }];
  expect(await peek()).toEqual([4]);
  expect(await peek()).toEqual([4]);

  page.setAside = [];

  expect(await peek()).toEqual([3, 4]);
});
