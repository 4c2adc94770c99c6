import { afterEach, expect, test } from 'vitest';
import { createTracker } from '../../src/tracker/tracker.ts';
import { keptUnder, MARK_ALONE, NOTHING_KEPT, stateOf } from '../fakes/browser/site-data.ts';

// Nobody answers there: what is tracked waits.
const endpoint = 'http://127.0.0.1:9/opt-out';
const NAME = `webengage-relay:${endpoint}`;
const kept = () => keptUnder(NAME);
const { open, deleteDatabase } = IDBFactory.prototype;

afterEach(async () => {
  Object.assign(IDBFactory.prototype, { open, deleteDatabase });
  localStorage.clear();
  indexedDB.deleteDatabase(NAME);
});

const IN_LOCAL_STORAGE = { ...NOTHING_KEPT, local: [[`${NAME}?choices`, '1']] };
const ONLY_THE_MARK = { ...IN_LOCAL_STORAGE, databases: [NAME] };

test('an opt-out deletes everything in the browser but its mark, with two tabs at work or not', async () => {
  const [one, other] = [createTracker({ endpoint }), createTracker({ endpoint })];
  await one.identify('johndoe', { email: 'john@doe.com' });
  await other.track('Clicked');
  dispatchEvent(new Event('pagehide'));
  await one.flush();
  expect(await kept()).not.toEqual(NOTHING_KEPT);

  await one.optOut();
  expect(await kept()).toEqual(ONLY_THE_MARK);
  expect(await stateOf(NAME)).toEqual(MARK_ALONE);

  await other.track('Clicked');
  await other.flush();
  dispatchEvent(new Event('pagehide'));
  dispatchEvent(new Event('focus'));
  await createTracker({ endpoint }).track('Clicked');
  await one.stats();
  expect(await kept()).toEqual(ONLY_THE_MARK);
  expect(await stateOf(NAME)).toEqual(MARK_ALONE);
});

test('a visitor whose localStorage is cleared stays out, through the mark in the database', async () => {
  const tracker = createTracker({ endpoint });
  await tracker.track('Clicked');
  await tracker.optOut();
  localStorage.clear();

  const next = createTracker({ endpoint });
  await next.track('Clicked');
  await next.flush();

  expect(await next.stats()).toMatchObject({ tracked: 0 });
  expect(await kept()).toEqual(ONLY_THE_MARK);
});

test('the same holds if IndexedDB is broken', async () => {
  const broken = () => {
    throw new Error('broken');
  };
  Object.assign(IDBFactory.prototype, { open: broken, deleteDatabase: broken });
  const tracker = createTracker({ endpoint });
  await tracker.track('Clicked');
  dispatchEvent(new Event('pagehide'));
  await tracker.optOut();

  // The next page has to forget what lies in the database, which was out of reach.
  const toForget = ['webengage-relay:http://127.0.0.1:9/opt-out#', '[]'];
  expect((await kept()).local).toEqual([...IN_LOCAL_STORAGE.local, toForget]);
});

test('data that an interrupted opt-out has left is removed by the next page', async () => {
  await createTracker({ endpoint }).track('Clicked');
  localStorage.setItem(`${NAME}?choices`, '1');
  localStorage.setItem(`${NAME}#left`, '[]');
  createTracker({ endpoint });

  await expect.poll(kept).toEqual(ONLY_THE_MARK);
});

test('after an opt-in the buffer is recreated and works', async () => {
  const tracker = createTracker({ endpoint });
  await tracker.track('Clicked');
  await tracker.optOut();
  await tracker.optIn();
  await tracker.track('Clicked');

  expect(await tracker.stats()).toMatchObject({ tracked: 1, buffered: 1, dropped: { opted_out: 0 } });
  expect((await kept()).databases).toEqual([NAME]);
});
