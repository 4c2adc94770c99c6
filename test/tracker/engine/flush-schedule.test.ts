import { expect, test, vi } from 'vitest';
import { flushNow, scheduleFlush } from '../../../src/tracker/engine/flush-schedule.ts';
import { write } from '../../../src/tracker/engine/write-calls.ts';
import { memoryStore } from '../../../src/tracker/store/memory-store.ts';
import { fakePage } from '../../fakes/browser/page.ts';
import { scriptedRelay } from '../../fakes/platform.ts';
import { storedEntry } from '../../fakes/records.ts';
import { settled } from '../../fakes/settled.ts';

const HOUR_MS = 3_600_000;

// What a pause is longer than the relay has asked for, by the chance that is played.
const BACKOFF_MS = 750;

function scheduleWith(...script: Parameters<typeof scriptedRelay>) {
  const storage = memoryStore();
  const { peek } = storage;
  const peeked = vi.spyOn(storage, 'peek');
  const { page, time, relay } = fakePage(
    { batchSize: 25, maxWaitMs: 5_000 },
    { storage, relay: scriptedRelay(...script) },
  );
  let seq = 0;

  /** Appends so many records. */
  async function append(count: number): Promise<void> {
    const entries = Array.from({ length: count }, () => storedEntry(++seq, { at: time.now() }));
    const { waiting } = await storage.append((visitor) => ({ visitor, entries, clears: false }));
    scheduleFlush(page, waiting);
  }

  /** The next flush looks into the buffer, and ends when told to. */
  function holdFlush(): () => void {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    peeked.mockImplementationOnce(async (...asked) => {
      const found = await peek(...asked);
      await held;
      return found;
    });
    return release;
  }

  return {
    page,
    time,
    storage,
    append,
    holdFlush,
    /** How often flushes have looked into the buffer. */
    looks: () => peeked.mock.calls.length,
    /** How many records each request held. */
    sent: () => relay.requests.map(({ records }) => records.length),
  };
}

const askToWait = (seconds: number) => () =>
  new Response('', { status: 429, headers: { 'Retry-After': `${seconds}` } });

test('a few records wait for others, a full batch does not', async () => {
  const few = scheduleWith();
  await few.append(3);
  await few.time.pass(4_999);
  expect(few.sent()).toEqual([]);
  await few.time.pass(1);
  expect(few.sent()).toEqual([3]);

  const full = scheduleWith();
  await full.append(25);
  await settled();
  expect(full.sent()).toEqual([25]);
});

test('later records neither delay the first nor cause their own flush', async () => {
  const { append, time, sent, looks } = scheduleWith();

  await append(1);
  for (let second = 1; second <= 5; second++) {
    await time.pass(1_000);
    if (second < 5) await append(1);
  }

  expect(sent()).toEqual([5]);
  const before = looks();
  await time.pass(HOUR_MS);
  expect(looks()).toBe(before);
});

test('while a flush has to wait, full batches do not start another', async () => {
  const { page, append, time, looks, sent } = scheduleWith(askToWait(60));
  await append(1);
  expect(await flushNow(page)).toMatchObject({ reason: 'rate_limited', forMs: 60_000 + BACKOFF_MS });
  const before = looks();

  await append(24);
  await append(25);
  await time.pass(59_999 + BACKOFF_MS);
  expect(looks()).toBe(before);

  await time.pass(1);
  expect(sent()).toEqual([1, 25, 25]);
});

test('a failing flush is retried', async () => {
  const { page, storage, append, time, sent } = scheduleWith();
  vi.spyOn(storage, 'get').mockRejectedValueOnce(new Error('a fault of ours'));
  await append(1);

  expect(await flushNow(page)).toMatchObject({ reason: 'internal_error' });
  await time.pass(29_999);
  expect(sent()).toEqual([]);

  await time.pass(1);
  expect(sent()).toEqual([1]);
});

test('a lock that fails is not asked again at once', async () => {
  const { page, append } = scheduleWith();
  let asked = 0;
  // The fourth time it hangs, so that this test ends.
  const exclusive = () => (++asked > 3 ? new Promise(() => {}) : Promise.reject(new Error('no lock')));
  Object.assign(page, { exclusive });

  await append(1);
  void flushNow(page);
  await settled();

  expect(asked).toBe(1);
});

test('no wait is longer than a timer allows: a year becomes an hour', async () => {
  const { page, append, time, sent } = scheduleWith(askToWait(365 * 86_400));
  await append(1);
  await flushNow(page);

  await time.pass(HOUR_MS);
  expect(sent()).toEqual([1]);

  await time.pass(BACKOFF_MS);
  expect(sent()).toEqual([1, 1]);
});

test('a record appended while a flush ends is not forgotten, because the flush may have read before', async () => {
  const { page, append, time, holdFlush, sent } = scheduleWith();
  const end = holdFlush();
  void flushNow(page);
  await settled();

  await append(1);
  end();
  await time.pass(5_000);

  expect(sent()).toEqual([1]);
});

test('any number of appends during a flush cause one more flush', async () => {
  const { page, time, holdFlush, looks } = scheduleWith();
  const end = holdFlush();
  void flushNow(page);
  await settled();

  for (let n = 0; n < 500; n++) scheduleFlush(page, 25 + n);
  for (let n = 0; n < 500; n++) void flushNow(page);
  await settled();
  expect(looks()).toBe(1);

  end();
  await time.pass(HOUR_MS);
  expect(looks()).toBe(2);
});

test('a record leaves in time even if another tab has settled the skipped ones', async () => {
  const { page, time, relay } = fakePage({ maxWaitMs: 5_000 });
  page.skippedCount = 3;
  const [wall, mono] = [time.wall(), time.mono()];

  await write(page, { kind: 'event', id: `${page.session}.1`, wall, mono, json: '"eventName":"e"' });
  await time.pass(5_000);

  expect(relay.requests).toHaveLength(1);
});
