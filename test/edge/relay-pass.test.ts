import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { backlog } from '../../src/edge/backlog.ts';
import type { Outbox } from '../../src/edge/outbox.ts';
import type { FailedCall } from '../../src/edge/relay-pass.ts';
import type { CallOutcome, UpstreamCall } from '../../src/edge/webengage.ts';
import { delivery, ingestAt, newOutbox, passAt, scriptedUpstream, sentIds } from '../fakes/outbox.ts';
import { eventRecord, idOf, userRecord } from '../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const LINGERED = NOW + 1_000;
const RETRY = { kind: 'retry', status: 503 } as const;

const events = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => eventRecord(from + index));
const ids = (from: number, to: number) => events(from, to).map(({ id }) => id);

function waiting(stub: DurableObjectStub<Outbox>): Promise<number> {
  return runInDurableObject(stub, (_, { storage }) => backlog(storage.sql, NOW).records);
}

describe('merging', () => {
  test('40 visitors with 5 events each go in 8 calls, not 40', async () => {
    const stub = newOutbox();
    for (let visitor = 0; visitor < 40; visitor++)
      await ingestAt(stub, delivery(`device ${visitor}`, ...events(1, 5)), NOW);
    const upstream = scriptedUpstream();

    await passAt(stub, upstream, NOW);

    expect(upstream.calls.map(({ records }) => records.length)).toEqual(Array(8).fill(25));
    expect(await waiting(stub)).toBe(0);
  });

  test('a few records wait until the oldest has lingered', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);
    const upstream = scriptedUpstream();

    expect(await passAt(stub, upstream, NOW + 400)).toMatchObject({ nextAt: LINGERED });
    expect(upstream.calls).toEqual([]);

    expect(await passAt(stub, upstream, LINGERED)).toMatchObject({ nextAt: undefined });
    expect(sentIds(upstream)).toEqual([ids(1, 5)]);
  });

  test('one visitor’s identify goes before the events that follow it: 1 + 3 calls for 61 records', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', userRecord(1), ...events(2, 25)), NOW);
    await ingestAt(stub, delivery('a', ...events(26, 50)), NOW);
    await ingestAt(stub, delivery('a', ...events(51, 61)), NOW);
    const upstream = scriptedUpstream();

    await passAt(stub, upstream, LINGERED);

    expect(upstream.calls.map(({ kind, records }) => [kind, records.length])).toEqual([
      ['user', 1],
      ['event', 25],
      ['event', 25],
      ['event', 10],
    ]);
    expect(sentIds(upstream).flat()).toEqual([idOf(1), ...ids(2, 61)]);
  });
});

describe('a sealed batch', () => {
  test('keeps its members and its id through every retry and an eviction, whatever comes after it', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);
    const outcomes: CallOutcome[] = [RETRY, { kind: 'retry', status: 0 }, { kind: 'retry', status: 400 }];
    const calls: UpstreamCall[] = [];
    const answer = async (call: UpstreamCall): Promise<CallOutcome> => {
      const isFirst = call.records.length === 5 && call.records[0]?.id === idOf(1);
      if (!isFirst) return { kind: 'delivered' };
      calls.push(call);
      return outcomes.shift() ?? { kind: 'delivered' };
    };

    await passAt(stub, { calls, answer }, LINGERED);
    await ingestAt(stub, delivery('a', ...events(6, 10)), LINGERED);
    await ingestAt(stub, delivery('b', ...events(1, 25)), LINGERED);
    await evictDurableObject(stub);
    for (let minute = 1; minute <= 4; minute++)
      await passAt(stub, { calls, answer }, LINGERED + minute * 60_000);

    expect(calls).toHaveLength(4);
    for (const call of calls) expect(call).toEqual(calls[0]);
    expect(await waiting(stub)).toBe(0);
  });

  test('found unsettled after a crash between its call and the settling is sent again as it was', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);
    const upstream = scriptedUpstream(new Error('the object dies here'));

    await expect(passAt(stub, upstream, LINGERED)).rejects.toThrow('dies');
    await evictDurableObject(stub);
    await ingestAt(stub, delivery('a', ...events(6, 7)), LINGERED);
    await passAt(stub, upstream, LINGERED + 1);
    await passAt(stub, upstream, LINGERED + 1_000);

    const [crashed, again, rest] = upstream.calls;
    expect(again).toEqual(crashed);
    expect(rest?.requestId).not.toBe(again?.requestId);
    expect(sentIds(upstream)).toEqual([ids(1, 5), ids(1, 5), ids(6, 7)]);
  });

  test('holds back its own browsers, and nobody else', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', userRecord(1), ...events(2, 3)), NOW);
    const upstream = scriptedUpstream(RETRY);
    await passAt(stub, upstream, LINGERED);
    await ingestAt(stub, delivery('b', ...events(1, 5)), NOW);

    await passAt(stub, upstream, LINGERED + 1);
    expect(sentIds(upstream)).toEqual([[idOf(1)], ids(1, 5)]);

    await passAt(stub, upstream, LINGERED + 60_000);
    expect(sentIds(upstream).slice(2)).toEqual([[idOf(1)], ids(2, 3)]);
  });

  test('has an id of hexadecimal digits, another for each batch', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    await ingestAt(stub, delivery('b', ...events(1, 25)), NOW);
    const upstream = scriptedUpstream();

    await passAt(stub, upstream, NOW);

    const requestIds = upstream.calls.map(({ requestId }) => requestId);
    expect(new Set(requestIds).size).toBe(2);
    for (const requestId of requestIds) expect(requestId).toMatch(/^[\da-f]{32}$/);
  });
});

describe('while WebEngage is down', () => {
  test('nothing is lost, few batches are sealed, and the rest goes on merging', async () => {
    const stub = newOutbox();
    const upstream = scriptedUpstream(...Array(50).fill(RETRY));
    for (let visitor = 0; visitor < 100; visitor++) {
      await ingestAt(stub, delivery(`device ${visitor}`, ...events(1, 5)), NOW);
      await passAt(stub, upstream, LINGERED);
    }
    expect(new Set(upstream.calls.map(({ requestId }) => requestId)).size).toBeLessThanOrEqual(6);

    const up = scriptedUpstream();
    await passAt(stub, up, LINGERED + 120_000);

    expect(await waiting(stub)).toBe(0);
    expect(up.calls.length).toBeLessThanOrEqual(6 + Math.ceil((500 - 6 * 5) / 25));
  });

  test('a pass that sent nothing says when to come again', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);

    const { nextAt } = await passAt(stub, scriptedUpstream(RETRY), LINGERED);

    expect(nextAt).toBeGreaterThan(LINGERED);
    expect(nextAt).toBeLessThanOrEqual(LINGERED + 1_000);
  });
});

describe('records that WebEngage refuses', () => {
  /** Takes everything but what a record with this name is in. */
  const refusing = (eventName: string) => {
    const calls: UpstreamCall[] = [];
    const answer = async (call: UpstreamCall): Promise<CallOutcome> => {
      calls.push(call);
      const isRefused = call.records.some((record) => record.eventName === eventName);
      return isRefused ? { kind: 'retry', status: 400 } : { kind: 'delivered' };
    };
    return { calls, answer };
  };

  test('hold back the browsers in their batch, and nobody else, however many there are', async () => {
    const stub = newOutbox();
    const upstream = refusing('Poison');
    for (let device = 0; device < 50; device++) {
      await ingestAt(stub, delivery(`bad ${device}`, eventRecord(1, { eventName: 'Poison' })), NOW);
      await passAt(stub, upstream, LINGERED);
    }
    await ingestAt(stub, delivery('good', ...events(1, 25)), LINGERED);

    await passAt(stub, upstream, LINGERED + 1);

    expect(sentIds(upstream)).toContainEqual(ids(1, 25));
    expect(await waiting(stub)).toBe(50);
  });

  test('with a backlog behind them do not hide other browsers from the cut', async () => {
    const stub = newOutbox();
    const upstream = refusing('Poison');
    await ingestAt(stub, delivery('bad', eventRecord(1, { eventName: 'Poison' })), NOW);
    await passAt(stub, upstream, LINGERED);
    for (let flush = 0; flush < 25; flush++) {
      const alternating = Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? eventRecord : userRecord)(2 + flush * 20 + index),
      );
      await ingestAt(stub, delivery('bad', ...alternating), LINGERED);
    }
    await ingestAt(stub, delivery('good', ...events(1, 25)), LINGERED);

    await passAt(stub, upstream, LINGERED + 1);

    expect(sentIds(upstream)).toContainEqual(ids(1, 25));
  });

  test('are asked again rarely, so that they leave the allowance to the others', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', eventRecord(1, { eventName: 'Poison' })), NOW);
    const upstream = refusing('Poison');

    for (let second = 1; second <= 3_600; second += 5) await passAt(stub, upstream, NOW + second * 1_000);

    expect(upstream.calls.length).toBeLessThanOrEqual(16);
  });

  test('are told to the operator by status, with nothing of what is in them', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    const told: FailedCall[] = [];

    await passAt(stub, scriptedUpstream({ kind: 'retry', status: 401 }), NOW, {
      tellFailed: (call) => told.push(call),
    });

    expect(told).toEqual([{ status: 401, kind: 'event', attempts: 1, retryInMs: expect.any(Number) }]);
    const status = await runInDurableObject(stub, (_, { storage }) => backlog(storage.sql, NOW));
    expect(status).toMatchObject({ retrying: 1, byStatus: { 401: 1 } });
  });
});

describe('the rate gate', () => {
  test('is asked before each call; what it refuses waits as long as it says', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    const upstream = scriptedUpstream();

    const { nextAt, held } = await passAt(stub, upstream, NOW, {
      gate: { take: async () => ({ granted: false, retryInMs: 700 }), pause: async () => {} },
    });

    expect({ nextAt, held }).toEqual({ nextAt: NOW + 700, held: true });
    expect(upstream.calls).toEqual([]);
  });

  test('is told to pause the whole account when WebEngage says so', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    const pauses: number[] = [];

    await passAt(stub, scriptedUpstream({ kind: 'paused', forMs: 48_000 }), NOW, {
      gate: {
        take: async () =>
          pauses.length > 0 ? { granted: false, retryInMs: 1 } : { granted: true, startInMs: 0 },
        pause: async (forMs) => void pauses.push(forMs),
      },
    });

    expect(pauses).toEqual([48_000]);
    expect(await waiting(stub)).toBe(25);
  });
});
