import { describe, expect, test } from 'vitest';
import { memoryStore } from '../../../src/tracker/store/memory-store.ts';
import type { RecordStore } from '../../../src/tracker/store/record-store.ts';
import { statsOf, type TrackerStats } from '../../../src/tracker/store/stats.ts';
import { fakeBrowser, names, quiet } from '../../fakes/browser/browser.ts';
import { dedupingRelay } from '../../fakes/deduping-relay.ts';
import { accepted, fakeTime, scriptedRelay } from '../../fakes/platform.ts';
import { storedEntry } from '../../fakes/records.ts';

const DAY_MS = 86_400_000;
const offline = () => new TypeError('Failed to fetch');
const ended = ({ delivered, rejected, dropped }: TrackerStats) =>
  delivered + rejected + dropped.expired + dropped.over_max_records;

const sumsUp = (stats: TrackerStats) => expect(ended(stats) + stats.buffered).toBe(stats.tracked);

test('each outcome of a record is counted, and their sum with the waiting ones is the number tracked', async () => {
  const time = fakeTime();
  // It tells its time, so that what is too old is known to be.
  const rejectFirst = (records: readonly { readonly id: string }[]) =>
    accepted(records, {
      rejected: records.slice(0, 1).map(({ id }) => ({ id, issues: [] })),
      now: time.now(),
    });
  const relay = scriptedRelay(rejectFirst, ...Array(60).fill(offline));
  const { open, buffered } = fakeBrowser({ relay, time });
  const { tracker } = open({ maxRecords: 100, maxAgeMs: 60_000 });
  const seen: TrackerStats[] = [];
  const look = async () => void seen.push(await tracker.stats());

  await look();
  for (const name of names(1, 3)) void tracker.track(name);
  await look();
  await tracker.flush();
  await look();
  for (const name of names(4, 107)) void tracker.track(name);
  await quiet();
  await look();
  // The next attempt, which also looks at what has become too old, comes by then.
  await time.pass(600_000);
  await look();
  void tracker.track('e108');
  await look();

  for (const stats of seen) sumsUp(stats);
  expect(seen.map(({ tracked }) => tracked)).toEqual([0, 3, 3, 107, 107, 108]);
  expect(seen.at(-1)).toEqual({
    tracked: 108,
    buffered: 1,
    delivered: 2,
    rejected: 1,
    dropped: { expired: 100, over_max_records: 4, opted_out: 0 },
  });
  expect(await buffered()).toEqual(['e108']);
});

test('two pages and later ones count together', async () => {
  const { open, time } = fakeBrowser({ relay: scriptedRelay(offline) });
  const [one, other] = [open(), open()];
  await Promise.all([one.tracker.track('e1'), other.tracker.track('e2'), other.tracker.track('e3')]);
  const whileBoth = await one.tracker.stats();
  await one.crash();
  await other.crash();

  const next = open();
  await next.tracker.track('e4');
  const after = await next.tracker.stats();
  await time.pass(60_000);

  expect(whileBoth).toMatchObject({ tracked: 3, buffered: 3 });
  expect(after).toMatchObject({ tracked: 4, buffered: 4 });
  expect(await next.tracker.stats()).toMatchObject({ tracked: 4, buffered: 0, delivered: 4 });
});

test('a record delivered by both an unload request and a flush of another page counts once', async () => {
  let answer = (_: Response) => {};
  const slow = () =>
    new Promise<Response>((resolve) => {
      answer = resolve;
    });
  const { open, time, sent } = fakeBrowser({ relay: scriptedRelay(slow) });
  const [one, other] = [open(), open()];
  await one.tracker.track('e1');
  await quiet();
  one.hide();
  await other.tracker.flush();

  answer(accepted([{}]));
  one.show();
  await time.pass(10_000);

  expect(sent()).toEqual([['e1'], ['e1']]);
  expect(await one.tracker.stats()).toMatchObject({ tracked: 1, delivered: 1, buffered: 0 });
});

test('a spilled record counts when it is moved into the buffer, and once if it was there already', async () => {
  const { open, disk, time } = fakeBrowser({ relay: scriptedRelay(offline) });
  const one = open();
  await quiet();
  disk.hold();
  void one.tracker.track('e1');
  one.hide();
  // Its write is done, and it dies before it could take the record out of page storage.
  await one.crash(1);
  disk.release();

  const next = open();
  await quiet();
  const before = await next.tracker.stats();
  await time.pass(60_000);
  const after = await next.tracker.stats();

  sumsUp(before);
  sumsUp(after);
  expect(after.buffered).toBe(0);
});

describe('a buffer in memory', () => {
  const entries = [1, 2, 3].map((seq) => storedEntry(seq));
  const appendTo = (store: RecordStore) => store.append((visitor) => ({ visitor, entries, clears: false }));

  test('counts no record twice that is removed twice', async () => {
    const storage = memoryStore();
    const { entries: stored } = await appendTo(storage);

    await storage.remove(stored.slice(0, 2), () => 'delivered');
    await storage.remove(stored, () => 'rejected');
    await storage.remove(stored, () => 'expired');

    expect(statsOf(await storage.get('counts'))).toEqual({
      tracked: 3,
      buffered: 0,
      delivered: 2,
      rejected: 1,
      dropped: { expired: 0, over_max_records: 0, opted_out: 0 },
    });
  });

  test('counts no record of a broken database as its own', async () => {
    const storage = memoryStore();
    await appendTo(storage);

    // A database counts its keys from 1.
    await storage.remove(entries, () => 'delivered');

    expect(await storage.peek(25)).toHaveLength(3);
    expect(statsOf(await storage.get('counts'))).toMatchObject({ tracked: 3, buffered: 3, delivered: 0 });
  });

  test('accepts the removal of nothing', async () => {
    const storage = memoryStore();
    await appendTo(storage);

    await storage.remove([], () => 'delivered');

    expect(await storage.peek(25)).toHaveLength(3);
  });
});

test('records that waited for 8 days without a network expire once the relay has told the time, with event and count', async () => {
  const time = fakeTime();
  const { relay, replies } = dedupingRelay(time);
  const { open } = fakeBrowser({ relay, time });
  const first = open();
  replies.push('offline');
  await first.tracker.track('e1');
  await first.tracker.track('e2');
  await first.crash();
  await time.pass(8 * DAY_MS);

  const next = open();
  const events: unknown[] = [];
  next.tracker.on('dropped', ({ ids, reason }) => events.push(ids.length, reason));
  const offlineEnd = await next.tracker.flush();
  const whileOffline = [...events];
  await time.pass(60_000);

  expect(offlineEnd).toMatchObject({ settled: false, reason: 'network' });
  expect(whileOffline).toEqual([]);
  expect(events).toEqual([2, 'expired']);
  expect(await next.tracker.stats()).toMatchObject({ tracked: 2, buffered: 0, dropped: { expired: 2 } });
});
