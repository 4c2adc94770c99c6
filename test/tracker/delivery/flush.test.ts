import { describe, expect, test } from 'vitest';
import { flusher } from '../../../src/tracker/delivery/flush.ts';
import type { IdentityTokens } from '../../../src/tracker/delivery/identity-tokens.ts';
import type { FlushLimits } from '../../../src/tracker/delivery/next-step.ts';
import type { Outcome, RelayClient } from '../../../src/tracker/delivery/relay-client.ts';
import { PACE, type Pace } from '../../../src/tracker/delivery/send-rate.ts';
import { lookoutOver } from '../../../src/tracker/delivery/sendable.ts';
import type { TrackerEvents } from '../../../src/tracker/page/events.ts';
import { memoryStorage } from '../../../src/tracker/store/memory-store.ts';
import type { Storage } from '../../../src/tracker/store/record-store.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';

const NOW = 1_000_000_000_000;
const LIMITS: FlushLimits = {
  batchSize: 25,
  maxWaitMs: 5_000,
  maxAgeMs: 604_800_000,
  burst: 100,
  requestsPerMinute: 500,
};
const SETTLED: Outcome = { kind: 'settled', rejected: [], duplicates: 0 };
const REFUSED: Outcome = { kind: 'refused', message: 'the batch is wrong' };

const NO_TOKENS = { userOf: () => undefined, of: () => undefined, answered: () => false };

async function bufferOf(count: number): Promise<Storage> {
  const storage = memoryStorage();
  await storage.append(Array.from({ length: count }, (_, i) => ({ at: NOW, record: eventRecord(i + 1) })));
  return storage;
}

/** Flushes with a relay that answers by what it is sent; tells what it was sent and what was told. */
async function flushWith(
  storage: Storage,
  answer: (ids: readonly string[]) => Outcome,
  limits = LIMITS,
  tokens: Pick<IdentityTokens, 'userOf' | 'of' | 'answered'> = NO_TOKENS,
) {
  const sent: string[][] = [];
  const told: { [Name in keyof TrackerEvents]?: TrackerEvents[Name][] } = {};
  const relay: RelayClient = async (batch) => {
    const ids = batch.map(({ record }) => record.id);
    sent.push(ids);
    return answer(ids);
  };
  const tell = (name: string, what: unknown) => {
    Object.assign(told, { [name]: [...((told as Record<string, unknown[]>)[name] ?? []), what] });
  };
  const { flush } = flusher({
    storage,
    farewell: { relay },
    tokens,
    lookout: lookoutOver(storage, tokens, { found: () => {} }, LIMITS.maxAgeMs, () => NOW),
    exclusive: (task) => task(),
    settings: limits,
    tell,
    now: () => NOW,
    random: () => 0,
    isIn: () => true,
  });
  const end = await flush(NOW);
  return { end, sent, told, left: (await storage.peek(100)).map(({ record }) => record.id) };
}

test('a record stays in the buffer until the relay has answered for it', async () => {
  const storage = await bufferOf(1);

  const failed = await flushWith(storage, () => ({ kind: 'retry', reason: 'network', afterMs: undefined }));
  await storage.update(PACE, () => undefined);
  const delivered = await flushWith(storage, () => SETTLED);

  expect(failed.left).toEqual([idOf(1)]);
  expect(delivered.left).toEqual([]);
  expect(delivered.told.delivered).toEqual([{ ids: [idOf(1)], duplicates: 0 }]);
});

test('a record whose user’s token ends just before it would be sent waits for another', async () => {
  const kept = memoryStorage();
  await kept.append([{ at: NOW, record: eventRecord(1, { userId: 'ann' }) }]);
  let token: string | undefined = 'token';
  const storage: Storage = {
    ...kept,
    get: (name) => {
      // A moment in which a laptop may have slept.
      if (name === PACE) token = undefined;
      return kept.get(name);
    },
  };
  const userOf = ({ userId }: { readonly userId?: string | undefined }) => userId;

  const { sent, left } = await flushWith(storage, () => SETTLED, LIMITS, {
    ...NO_TOKENS,
    userOf,
    of: () => token,
  });

  expect(sent).toEqual([]);
  expect(left).toEqual([idOf(1)]);
});

test('everything buffered at the call goes, oldest first, 25 at a time', async () => {
  const { sent, end } = await flushWith(await bufferOf(61), () => SETTLED);

  expect(sent.map((batch) => batch.length)).toEqual([25, 25, 11]);
  expect(sent.flat()).toEqual(Array.from({ length: 61 }, (_, i) => idOf(i + 1)));
  expect(end).toEqual({ step: 'rest', forMs: undefined });
});

test('a batch is cut where its bytes would not fit a keepalive request', async () => {
  const storage = memoryStorage();
  const eventData = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`a${i}`, 'é'.repeat(999)]));
  await storage.append(
    Array.from({ length: 3 }, (_, i) => ({ at: NOW, record: eventRecord(i + 1, { eventData }) })),
  );

  const { sent } = await flushWith(storage, () => SETTLED);

  expect(sent.map((batch) => batch.length)).toEqual([1, 1, 1]);
});

describe('a failure', () => {
  test('ends the flush, and holds the next one back: with Retry-After no shorter than it says', async () => {
    const storage = await bufferOf(1);
    const failed = await flushWith(storage, () => ({
      kind: 'retry',
      reason: 'rate_limited',
      afterMs: 30_000,
    }));
    const next = await flushWith(storage, () => SETTLED);

    expect(failed.end).toMatchObject({ step: 'wait', reason: 'rate_limited' });
    expect(failed.end.forMs).toBeGreaterThanOrEqual(30_000);
    expect(next.sent).toEqual([]);
    expect(next.told.retrying).toMatchObject([{ reason: 'rate_limited' }]);
  });

  test('of a kind that only a person can mend is not tried again soon', async () => {
    const { end } = await flushWith(await bufferOf(1), () => ({
      kind: 'retry',
      reason: 'not_allowed',
      afterMs: undefined,
    }));

    expect(end.forMs).toBeGreaterThanOrEqual(30_000);
  });
});

describe('a batch the relay refuses as a whole', () => {
  test('is halved down to the record at fault, which is told and given up; all others arrive', async () => {
    const bad = idOf(17);
    const storage = await bufferOf(50);

    const { left, told } = await flushWith(storage, (ids) => (ids.includes(bad) ? REFUSED : SETTLED));

    expect(left).toEqual([]);
    expect(told.rejected).toEqual([{ id: bad, issues: [{ path: '', message: 'the batch is wrong' }] }]);
    expect(told.delivered?.flatMap(({ ids }) => ids)).toHaveLength(49);
  });
});

test('a record that the relay rejects is told, and its neighbours are delivered', async () => {
  const rejection = { id: idOf(2), issues: [{ path: 'eventName', message: 'must be given' }] };

  const { told, left } = await flushWith(await bufferOf(3), () => ({ ...SETTLED, rejected: [rejection] }));

  expect(left).toEqual([]);
  expect(told).toEqual({ rejected: [rejection], delivered: [{ ids: [idOf(1), idOf(3)], duplicates: 0 }] });
});

test('records that are too old are dropped, told, and not sent', async () => {
  const { sent, told } = await flushWith(await bufferOf(2), () => SETTLED, { ...LIMITS, maxAgeMs: -1 });

  expect(sent).toEqual([]);
  expect(told.dropped).toEqual([{ ids: [idOf(1), idOf(2)], reason: 'expired' }]);
});

test('every record is made, settled or left: none is both, none is neither', async () => {
  const storage = await bufferOf(60);
  let answers = 0;
  const outcomes: Outcome[] = [SETTLED, { kind: 'retry', reason: 'unavailable', afterMs: undefined }];

  const { left, told } = await flushWith(storage, () => outcomes[answers++] ?? SETTLED);

  const delivered = told.delivered?.flatMap(({ ids }) => ids) ?? [];
  expect([...delivered, ...left]).toEqual(Array.from({ length: 60 }, (_, i) => idOf(i + 1)));
});

test('a lesser failure does not end a pause that the relay asked for and that is longer', async () => {
  const storage = await bufferOf(1);
  const { conclude } = flusher({
    storage,
    farewell: { relay: async () => SETTLED },
    tokens: NO_TOKENS,
    lookout: lookoutOver(storage, NO_TOKENS, { found: () => {} }, LIMITS.maxAgeMs, () => NOW),
    exclusive: (task) => task(),
    settings: LIMITS,
    tell: () => {},
    now: () => NOW,
    random: () => 0,
    isIn: () => true,
  });
  const batch = await storage.peek(25);

  await conclude(batch, { kind: 'retry', reason: 'rate_limited', afterMs: 600_000 }, 0);
  await conclude(batch, { kind: 'retry', reason: 'network', afterMs: undefined }, 0);

  const { pause } = (await storage.get(PACE)) as Pace;
  expect(pause).toMatchObject({ reason: 'rate_limited' });
  expect(pause?.forMs).toBeGreaterThanOrEqual(600_000);
});
