import { expect, test } from 'vitest';
import { resolveOptions } from '../../src/tracker/options.ts';
import { startTracker } from '../../src/tracker/tracker.ts';
import { ENDPOINT } from '../fakes/browser/browser.ts';
import { fakePlatform, fakeTime } from '../fakes/platform.ts';
import { settled } from '../fakes/settled.ts';

const NOON = Date.parse('2026-11-23T12:00:00Z');

/** A page whose two clocks move only by hand, each by itself. */
function pageWithClocks() {
  const clocks = { wall: NOON, mono: 100, readsOfMono: 0 };
  const time = {
    ...fakeTime(),
    wall: () => clocks.wall,
    mono: () => {
      clocks.readsOfMono += 1;
      return clocks.mono;
    },
  };
  const { platform, storage, relay } = fakePlatform({ time });
  const tracker = startTracker(resolveOptions({ endpoint: ENDPOINT }), platform);
  /** When the buffered calls were made, by both clocks. */
  const times = async () => {
    await settled();
    return (await storage.peek(25)).map(({ wall, mono }) => [wall - NOON, mono]);
  };
  return { clocks, tracker, times, relay };
}

test('calls of one task and one millisecond share a reading of the monotonic clock', async () => {
  const { clocks, tracker, times } = pageWithClocks();
  await settled();
  const before = clocks.readsOfMono;
  for (let n = 0; n < 20; n++) void tracker.track('e');
  const reads = clocks.readsOfMono - before;

  expect(reads).toBeLessThan(5);
  expect(await times()).toEqual(Array.from({ length: 20 }, () => [0, 100]));
});

test('a call a millisecond later in the same task has its own time', async () => {
  const { clocks, tracker, times } = pageWithClocks();
  void tracker.track('e');
  clocks.wall += 1;
  clocks.mono += 1;
  void tracker.track('e');

  expect(await times()).toEqual([
    [0, 100],
    [1, 101],
  ]);
});

test.each([
  ['back', -3_600_000],
  ['forward', 3_600_000],
])('a call after the visitor’s clock was set %s in the same task has its own time by both', async (_, ms) => {
  const { clocks, tracker, times } = pageWithClocks();
  void tracker.track('e');
  clocks.wall += ms;
  clocks.mono += 5;
  void tracker.track('e');
  clocks.wall -= ms;
  clocks.mono += 5;
  void tracker.track('e');

  expect(await times()).toEqual([
    [0, 100],
    [ms, 105],
    [0, 110],
  ]);
});

test('calls of later tasks and promises have their own monotonic time if the page has stopped its `Date`', async () => {
  const { clocks, tracker, times } = pageWithClocks();
  void tracker.track('e');
  await settled();
  clocks.mono += 5_000;
  void tracker.track('e');
  await Promise.resolve();
  clocks.mono += 5_000;
  void tracker.track('e');

  expect(await times()).toEqual([
    [0, 100],
    [0, 5_100],
    [0, 10_100],
  ]);
});

test('`flush()` in the millisecond of the calls sends all of them', async () => {
  const { clocks, tracker, relay } = pageWithClocks();
  await settled();
  clocks.mono = 100.7;
  void tracker.track('e1');
  clocks.mono = 100.9;
  void tracker.track('e2');
  const end = await tracker.flush();

  expect(end).toEqual({ settled: true });
  expect(relay.requests.map(({ records }) => records.length)).toEqual([2]);
});

test('a call made earlier, before the script had loaded, is as much earlier by both clocks', async () => {
  const { clocks, tracker, times } = pageWithClocks();
  const stubbed = tracker.madeAt(NOON - 40);
  void tracker.track('e');
  void stubbed.track('e');
  clocks.wall += 1;
  clocks.mono += 1;
  void stubbed.track('e');

  expect(await times()).toEqual([
    [0, 100],
    [-40, 60],
    [-40, 60],
  ]);
});
