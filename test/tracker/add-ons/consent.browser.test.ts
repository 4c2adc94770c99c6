import { afterEach, expect, test } from 'vitest';
import { consent } from '../../../src/tracker/add-ons/consent.ts';
import { createTracker } from '../../../src/tracker/tracker.ts';
import { keptUnder, MARK_ALONE, NOTHING_KEPT, stateOf } from '../../fakes/browser/site-data.ts';

// Nobody answers there: what is tracked waits.
const endpoint = 'http://127.0.0.1:9/consent';
const NAME = `webengage-relay:${endpoint}`;
const MARK = `${NAME}?choices`;
const kept = () => keptUnder(NAME);

afterEach(() => {
  localStorage.clear();
  indexedDB.deleteDatabase(NAME);
});

/** Calls all there is, and has the page left. */
async function callAll(initial: 'pending' | 'denied') {
  const tracker = createTracker({ endpoint, plugins: [consent({ initial })], backgroundSync: true });
  const calls = [tracker.identify('johndoe', { email: 'john@doe.com' }), tracker.track('Clicked')];
  tracker.reset();
  await tracker.stats();
  await tracker.flush();
  dispatchEvent(new Event('pagehide'));
  dispatchEvent(new Event('focus'));
  dispatchEvent(new Event('online'));
  return { tracker, calls };
}

const requests = () =>
  performance.getEntriesByType('resource').filter((entry) => entry.name.startsWith(endpoint));

test.each(['pending', 'denied'] as const)(
  'with consent %s nothing is stored, no lock is requested, and nothing is sent',
  async (initial) => {
    const before = requests().length;
    await callAll(initial);

    expect(await kept()).toEqual(NOTHING_KEPT);
    const { held = [], pending = [] } = await navigator.locks.query();
    expect([...held, ...pending].map(({ name }) => name)).not.toContain(NAME);
    expect(requests()).toHaveLength(before);
  },
);

test.each(['pending', 'denied'] as const)(
  'the same holds after the visitor’s opt-out, from %s',
  async (initial) => {
    const { tracker, calls } = await callAll(initial);
    await tracker.optOut();
    await Promise.all(calls);
    await tracker.track('Clicked');
    dispatchEvent(new Event('pagehide'));

    expect(await kept()).toEqual(NOTHING_KEPT);
  },
);

test('an opt-in makes waiting calls durable, and an opt-out on a later page deletes all but the mark in each store', async () => {
  const { tracker, calls } = await callAll('pending');
  await tracker.optIn();
  await Promise.all(calls);
  expect((await kept()).databases).toEqual([NAME]);
  expect(await tracker.stats()).toMatchObject({ tracked: 2, buffered: 2 });

  await createTracker({ endpoint, plugins: [consent()] }).optOut();
  await tracker.track('Clicked');
  dispatchEvent(new Event('pagehide'));
  expect(await kept()).toEqual({ ...NOTHING_KEPT, databases: [NAME], local: [[MARK, '1']] });
  expect(await stateOf(NAME)).toEqual(MARK_ALONE);
});

test('a database with nothing else in it is deleted with the opt-out', async () => {
  await new Promise((resolve) => {
    const opening = indexedDB.open(NAME);
    opening.onsuccess = () => {
      opening.result.close();
      resolve(undefined);
    };
  });
  expect((await kept()).databases).toEqual([NAME]);

  await createTracker({ endpoint, plugins: [consent()] }).optOut();
  expect(await kept()).toEqual(NOTHING_KEPT);
});
