import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { noEvidence } from '../../../src/edge/delivery/evidence.ts';
import type { UpstreamCall } from '../../../src/edge/delivery/webengage.ts';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import { postpone } from '../../../src/edge/queue/call-outcome.ts';
import { seal } from '../../../src/edge/queue/sealed-batches.ts';
import { outboxStatus } from '../../../src/edge/queue/status.ts';
import type { FailedCall } from '../../../src/edge/telemetry/log.ts';
import {
  answerOf,
  deadLettersOf,
  delivery,
  GRANTED,
  ingestAt,
  newOutbox,
  OPEN,
  passAt,
  REFUSED,
  ROOM,
  rulingUpstream,
  scriptedUpstream,
  sentIds,
} from '../../fakes/outbox.ts';
import { eventRecord, events, idOf, userRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const LINGERED = NOW + 1_000;
const DOWN = 503;

const ids = (from: number, to: number) => events(from, to).map(({ id }) => id);

const refusing = (eventName: string) =>
  rulingUpstream(({ records }) => (records.some((record) => record.eventName === eventName) ? 400 : 200));

function waiting(stub: DurableObjectStub<Outbox>): Promise<number> {
  return runInDurableObject(stub, (_, { storage }) => outboxStatus(storage.sql, ROOM, NOW).records);
}

describe('merging', () => {
  test('40 visitors with 5 events each take 8 calls, not 40', async () => {
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

  test("a page's unload request is sent in calls of 25, in order", async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 360)), NOW);
    const upstream = scriptedUpstream();

    await passAt(stub, upstream, LINGERED);

    expect(sentIds(upstream).flat()).toEqual(ids(1, 360));
    expect(upstream.calls.every(({ records }) => records.length <= 25)).toBe(true);
    expect(await waiting(stub)).toBe(0);
  });

  test("a visitor's identify goes before the events that follow it: 1 + 3 calls for 61 records", async () => {
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
  test('keeps its members and its id through every retry and an eviction, even as new records arrive', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);
    const statuses = [DOWN, 0, 401, 429];
    const calls: UpstreamCall[] = [];
    const answer = async (call: UpstreamCall) => {
      const isFirst = call.records.length === 5 && call.records[0]?.id === idOf(1);
      if (!isFirst) return answerOf(200);
      calls.push(call);
      return answerOf(statuses.shift() ?? 200);
    };

    await passAt(stub, { calls, answer }, LINGERED);
    await ingestAt(stub, delivery('a', ...events(6, 10)), LINGERED);
    await ingestAt(stub, delivery('b', ...events(1, 25)), LINGERED);
    await evictDurableObject(stub);
    for (let minute = 1; minute <= 5; minute++)
      await passAt(stub, { calls, answer }, LINGERED + minute * 60_000);

    expect(calls).toHaveLength(5);
    for (const call of calls) expect(call).toEqual(calls[0]);
    expect(await waiting(stub)).toBe(0);
  });

  test('is sent again unchanged after a crash between its call and its settlement', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);
    const upstream = scriptedUpstream(new Error('the object dies here'));

    // Nothing comes back from there: the pass is never heard of again.
    const never = () => new Promise<never>(() => {});
    void passAt(stub, { ...upstream, answer: (call) => upstream.answer(call).catch(never) }, LINGERED, {
      sleep: never,
    });
    await expect.poll(() => upstream.calls.length).toBe(1);
    await runInDurableObject(stub, (_, { storage }) => storage.deleteAlarm());
    await ingestAt(stub, delivery('a', ...events(6, 7)), LINGERED);
    await passAt(stub, upstream, LINGERED + 1);
    await passAt(stub, upstream, LINGERED + 1_000);

    const [crashed, again, rest] = upstream.calls;
    expect(again).toEqual(crashed);
    expect(rest?.requestId).not.toBe(again?.requestId);
    expect(sentIds(upstream)).toEqual([ids(1, 5), ids(1, 5), ids(6, 7)]);
  });

  test('holds back only its own browsers', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', userRecord(1), ...events(2, 3)), NOW);
    const upstream = scriptedUpstream(DOWN);
    await passAt(stub, upstream, LINGERED);
    await ingestAt(stub, delivery('b', ...events(1, 5)), NOW);

    await passAt(stub, upstream, LINGERED + 1);
    expect(sentIds(upstream)).toEqual([[idOf(1)], ids(1, 5)]);

    await passAt(stub, upstream, LINGERED + 60_000);
    expect(sentIds(upstream).slice(2)).toEqual([[idOf(1)], ids(2, 3)]);
  });

  test('has its own id of hexadecimal digits', async () => {
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

test('a batch that an internal error keeps from being sent holds back only its own browsers', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
  await ingestAt(stub, delivery('b', ...events(1, 25)), NOW);
  await runInDurableObject(stub, (_, { storage }) =>
    storage.sql.exec(`UPDATE run_a SET records = 'no JSON' WHERE device = 'a'`),
  );
  const upstream = scriptedUpstream();
  const faults: unknown[] = [];

  const { nextAt } = await passAt(stub, upstream, NOW, { logFault: (fault) => faults.push(fault) });

  expect(sentIds(upstream)).toEqual([ids(1, 25)]);
  expect(faults).toHaveLength(1);
  expect(nextAt).toBeGreaterThan(NOW);
  expect(await waiting(stub)).toBe(25);
});

test('a call that is handled late ends only its own batch, not a later one in its place', async () => {
  const stub = newOutbox();
  const answers: ((status: number) => void)[] = [];
  const calls: UpstreamCall[] = [];
  let finishReport = () => {};
  let ring = () => {};
  const inside = (act: () => void) => runInDurableObject(stub, act);
  await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
  void passAt(stub, scriptedUpstream(), NOW, {
    sleep: () => new Promise(() => {}),
    fullBatch: () => new Promise((resolve) => (ring = () => resolve())),
    upstream: (call) => {
      calls.push(call);
      return new Promise((resolve) => answers.push((status) => resolve(answerOf(status))));
    },
    gate: {
      ...OPEN,
      take: async () => ({ ...GRANTED, suspect: true }),
      // The way to the gate takes long, the first time.
      taken: () =>
        calls.length > 1 ? Promise.resolve() : new Promise((resolve) => (finishReport = resolve)),
    },
  });

  // The first is settled, and a report to the gate is on its way, while the next batch is sealed and sent.
  await expect.poll(() => calls.length).toBe(1);
  await inside(() => answers[0]?.(200));
  await expect.poll(() => waiting(stub)).toBe(0);
  await ingestAt(stub, delivery('b', ...events(101, 125)), NOW);
  await inside(() => ring());
  await expect.poll(() => calls.length).toBe(2);
  await inside(() => finishReport());
  await inside(() => ring());
  await ingestAt(stub, delivery('c', ...events(201, 225)), NOW);
  await inside(() => ring());
  await expect.poll(() => calls.length).toBe(3);

  expect(calls.map(({ records }) => records[0]?.id)).toEqual([idOf(1), idOf(101), idOf(201)]);
  await inside(() => answers[1]?.(200));
  await expect.poll(() => waiting(stub)).toBe(25);
  await inside(() => answers[2]?.(200));
  await expect.poll(() => waiting(stub)).toBe(0);
});

test('an unreachable gate costs no batch, and no call is counted twice', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
  const faults: unknown[] = [];

  await passAt(stub, scriptedUpstream(), NOW, {
    logFault: (fault) => faults.push(fault),
    gate: {
      ...OPEN,
      take: async () => ({ ...GRANTED, suspect: true }),
      taken: () => Promise.reject(new Error('reset')),
    },
  });

  const { totals } = await runInDurableObject(stub, (_, { storage }) => outboxStatus(storage.sql, ROOM, NOW));
  expect(faults).toHaveLength(1);
  expect(totals).toMatchObject({ taken: 1, unknown: 0, delivered: 25 });
});

test('a permit that expires before it is used is not used', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
  const upstream = scriptedUpstream();
  let now = NOW;
  let requests = 0;

  await passAt(stub, upstream, NOW, {
    now: () => now,
    // The object stalls once, while it waits for its turn.
    sleep: async () => {
      now += requests === 1 ? 5_000 : 100;
    },
    gate: {
      ...OPEN,
      take: async () => {
        requests += 1;
        return { ...GRANTED, startInMs: 100 };
      },
    },
  });

  expect(requests).toBe(2);
  expect(upstream.calls).toHaveLength(1);
});

describe('while WebEngage is down', () => {
  test('nothing is lost, few batches are sealed, and the other records go on merging', async () => {
    const stub = newOutbox();
    const upstream = scriptedUpstream(...Array(50).fill(DOWN));
    // One outbox, that lives on between its passes.
    const evidence = noEvidence();
    for (let visitor = 0; visitor < 100; visitor++) {
      await ingestAt(stub, delivery(`device ${visitor}`, ...events(1, 5)), NOW);
      await passAt(stub, upstream, LINGERED, { evidence });
    }
    expect(new Set(upstream.calls.map(({ requestId }) => requestId)).size).toBeLessThanOrEqual(7);

    const up = scriptedUpstream();
    await passAt(stub, up, LINGERED + 120_000);

    expect(await waiting(stub)).toBe(0);
    expect(up.calls.length).toBeLessThanOrEqual(7 + Math.ceil((500 - 7 * 5) / 25));
  });

  test('a pass that sent nothing says when to run again', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);

    const { nextAt } = await passAt(stub, scriptedUpstream(DOWN), LINGERED);

    expect(nextAt).toBeGreaterThan(LINGERED);
    expect(nextAt).toBeLessThanOrEqual(LINGERED + 1_000);
  });
});

test('a batch that fails again and again waits longer each time, up to a minute', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);
  const upstream = scriptedUpstream(...Array(10).fill(DOWN));
  const waits: number[] = [];

  let now = LINGERED;
  for (let time = 0; time < 10; time++) {
    const { nextAt = now } = await passAt(stub, upstream, now, { random: () => 1 });
    waits.push(nextAt - now);
    now = nextAt;
  }

  expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(waits.at(-1)).toBe(60_000);
});

describe('records that WebEngage refuses', () => {
  /** Refuses every call that holds a record with this name. */
  const poison = (seq: number) => eventRecord(seq, { eventName: 'Poison' });

  test('become dead letters with WebEngage’s message, and their neighbours arrive', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 12), poison(13), ...events(14, 25)), NOW);
    const upstream = refusing('Poison');

    await passAt(stub, upstream, NOW);

    const taken = upstream.calls.filter(({ records }) =>
      records.every(({ eventName }) => eventName !== 'Poison'),
    );
    expect(taken.flatMap(({ records }) => records.map(({ id }) => id))).toEqual([
      ...ids(1, 12),
      ...ids(14, 25),
    ]);
    const deadLetters = await deadLettersOf(stub);
    expect(deadLetters).toMatchObject([
      { device: 'a', kind: 'event', acceptedAt: NOW, givenUpAt: NOW, status: 400 },
    ]);
    expect(deadLetters[0]).toMatchObject({ words: 'Error: as the rule says.', attempts: 3 });
    expect(JSON.parse(deadLetters[0]?.record ?? '')).toMatchObject({ id: idOf(13), eventName: 'Poison' });
    expect(await waiting(stub)).toBe(0);
  });

  test('are found in at most 11 calls of 25 records, and each half has its own id', async () => {
    for (let at = 1; at <= 25; at++) {
      const stub = newOutbox();
      const records = events(1, 25).map((event, index) => (index === at - 1 ? poison(at) : event));
      await ingestAt(stub, delivery('a', ...records), NOW);
      const upstream = refusing('Poison');

      await passAt(stub, upstream, NOW);

      expect(upstream.calls.length).toBeLessThanOrEqual(11);
      expect(new Set(upstream.calls.map(({ requestId }) => requestId)).size).toBe(upstream.calls.length);
      expect(await deadLettersOf(stub)).toHaveLength(1);
    }
  });

  test('may fill a whole batch, and each becomes its own dead letter', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...Array.from({ length: 25 }, (_, n) => poison(n + 1))), NOW);

    await passAt(stub, refusing('Poison'), NOW);

    expect(await deadLettersOf(stub)).toHaveLength(25);
    expect(await waiting(stub)).toBe(0);
  });

  test('keep the order of their browser, as later records follow part by part', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 9), poison(10), ...events(11, 20)), NOW);
    await ingestAt(stub, delivery('b', ...events(1, 5)), NOW);
    await ingestAt(stub, delivery('a', poison(21), ...events(22, 40)), NOW);
    const upstream = refusing('Poison');

    await passAt(stub, upstream, LINGERED);

    const arrived = upstream.calls
      .filter(({ records }) => records.every(({ eventName }) => eventName !== 'Poison'))
      .flatMap(({ records }) => records);
    expect(arrived.map(({ id }) => id).filter((id) => !ids(1, 5).includes(id))).toEqual([
      ...ids(6, 9),
      ...ids(11, 20),
      ...ids(22, 40),
    ]);
    expect(await waiting(stub)).toBe(0);
  });

  test('are searched for in parts, with a separate allowance', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 24), poison(25)), NOW);
    const upstream = refusing('Poison');

    await passAt(stub, upstream, NOW, {
      gate: {
        ...OPEN,
        take: async ({ isolating }) =>
          isolating ? { ...REFUSED, retryInMs: 60_000, isolatingOnly: true } : GRANTED,
      },
    });

    expect(sentIds(upstream)).toEqual([ids(1, 25)]);
    const status = await runInDurableObject(stub, (_, { storage }) => outboxStatus(storage.sql, ROOM, NOW));
    expect(status).toMatchObject({ retrying: 2, byStatus: { 400: 2 } });
  });

  test('hold back no other records during the search', async () => {
    const stub = newOutbox();
    for (let device = 0; device < 50; device++)
      await ingestAt(stub, delivery(`bad ${device}`, poison(1)), NOW);
    await ingestAt(stub, delivery('good', ...events(1, 25)), NOW);
    const upstream = refusing('Poison');
    let isolated = 0;

    await passAt(stub, upstream, LINGERED, {
      gate: {
        ...OPEN,
        // A tenth of what there is.
        take: async ({ isolating }) => {
          if (isolating) isolated += 1;
          return isolating && isolated > 4 ? { ...REFUSED, retryInMs: 60_000, isolatingOnly: true } : GRANTED;
        },
      },
    });

    expect(sentIds(upstream)).toContainEqual(ids(1, 25));
    expect(await waiting(stub)).toBe(50 - (await deadLettersOf(stub)).length);
  });

  test('do not hide other browsers from the cut when they have a backlog', async () => {
    const stub = newOutbox();
    const upstream = scriptedUpstream(DOWN);
    await ingestAt(stub, delivery('slow', eventRecord(1)), NOW);
    await passAt(stub, upstream, LINGERED);
    for (let flush = 0; flush < 25; flush++) {
      const alternating = Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? eventRecord : userRecord)(2 + flush * 20 + index),
      );
      await ingestAt(stub, delivery('slow', ...alternating), LINGERED);
    }
    await ingestAt(stub, delivery('good', ...events(1, 25)), LINGERED);

    await passAt(stub, upstream, LINGERED + 1);

    expect(sentIds(upstream)).toContainEqual(ids(1, 25));
  });

  test("are requeued once every call turns out to be refused, by a call's answer or by the gate", async () => {
    const refusedAll = {
      ...OPEN,
      refused: async () => ({ proven: false, streak: { since: NOW, until: undefined } }),
    };
    const refusedForAMinute = { ...REFUSED, retryInMs: 60_000 };
    for (const permits of [[GRANTED], [{ ...refusedForAMinute, streak: { since: NOW, until: undefined } }]]) {
      const stub = newOutbox();
      await ingestAt(stub, delivery('a', poison(1)), NOW);
      await passAt(stub, refusing('Poison'), LINGERED);
      expect(await deadLettersOf(stub)).toHaveLength(1);
      await ingestAt(stub, delivery('b', poison(2)), NOW);

      await passAt(stub, refusing('Poison'), LINGERED, {
        gate: { ...refusedAll, take: async () => permits.shift() ?? refusedForAMinute },
      });

      expect(await deadLettersOf(stub)).toEqual([]);
      expect(await waiting(stub)).toBe(2);
    }
  });

  test('are reported to the operator by status, without any of their content', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    const reported: FailedCall[] = [];
    const refusedForAMinute = { ...REFUSED, retryInMs: 60_000 };

    await passAt(stub, scriptedUpstream(401), NOW, {
      logFailedCall: (call) => reported.push(call),
      gate: { ...OPEN, take: async () => (reported.length > 0 ? refusedForAMinute : GRANTED) },
    });

    expect(reported).toEqual([{ status: 401, kind: 'event', attempts: 1 }]);
    const status = await runInDurableObject(stub, (_, { storage }) => outboxStatus(storage.sql, ROOM, NOW));
    expect(status).toMatchObject({ retrying: 1, byStatus: { 401: 1 }, deadLetters: 0 });
  });
});

describe('the rate gate', () => {
  test('is asked before each call, and a refused call waits as long as the gate says', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    const upstream = scriptedUpstream();

    const { nextAt, backsOff } = await passAt(stub, upstream, NOW, {
      gate: {
        ...OPEN,
        take: async () => ({ ...REFUSED, retryInMs: 700 }),
      },
    });

    expect({ nextAt, backsOff }).toEqual({ nextAt: NOW + 700, backsOff: true });
    expect(upstream.calls).toEqual([]);
  });

  test('says when a call may start, and the call starts no sooner', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    const upstream = scriptedUpstream();
    const slept: [ms: number, calls: number][] = [];

    await passAt(stub, upstream, NOW, {
      gate: { ...OPEN, take: async () => ({ ...GRANTED, startInMs: 240 }) },
      sleep: async (ms) => void slept.push([ms, upstream.calls.length]),
    });

    expect(slept[0]).toEqual([240, 0]);
    expect(upstream.calls).toHaveLength(1);
  });

  test('grants a permit after which the queue is read again, so that new records join the call', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);
    const upstream = scriptedUpstream();
    let grant: (() => void) | undefined;

    const pass = passAt(stub, upstream, LINGERED, {
      gate: { ...OPEN, take: () => new Promise((resolve) => (grant = () => resolve(GRANTED))) },
    });
    await expect.poll(() => grant).toBeDefined();
    await ingestAt(stub, delivery('b', ...events(6, 9)), LINGERED);
    await runInDurableObject(stub, () => grant?.());
    await pass;

    expect(sentIds(upstream)).toEqual([ids(1, 9)]);
  });

  test('learns of a success only when it suspects a problem, and is not asked again otherwise', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    await ingestAt(stub, delivery('b', ...events(1, 25)), NOW);
    const permits = [GRANTED, { ...GRANTED, suspect: true, key: 'secondary' as const }];
    const reported: string[] = [];

    await passAt(stub, scriptedUpstream(), NOW, {
      gate: {
        ...OPEN,
        take: async () => permits.shift() ?? GRANTED,
        taken: async (key) => void reported.push(key),
      },
    });

    expect(reported).toEqual(['secondary']);
  });

  test('learns of a 429, and pauses the whole account', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    const pauses: number[] = [];

    await passAt(stub, scriptedUpstream(answerOf(429, { retryAfter: '48' })), NOW, {
      gate: { ...OPEN, pause: async (forMs) => void pauses.push(forMs) },
    });

    expect(pauses).toEqual([48_000]);
    expect(await waiting(stub)).toBe(25);
  });

  test('learns with the next question what WebEngage’s headers said about the limit', async () => {
    const stub = newOutbox();
    for (let device = 0; device < 8; device++)
      await ingestAt(stub, delivery(`device ${device}`, ...events(1, 25)), NOW);
    const rateLimit = { limit: 400, remaining: 7 };
    const requests: unknown[] = [];
    const upstream = scriptedUpstream(answerOf(200, { rateLimit }));

    await passAt(stub, upstream, NOW, {
      gate: {
        ...OPEN,
        take: async (request) => {
          requests.push(request.seen);
          return GRANTED;
        },
      },
    });

    expect(requests.filter(Boolean)).toEqual([{ ...rateLimit, at: NOW, ours: 1 }]);
  });
});

describe('calls in flight', () => {
  /** Answers when told to. */
  function heldUpstream() {
    const waitingFor: ((status: number) => void)[] = [];
    const calls: UpstreamCall[] = [];
    return {
      calls,
      answer: (call: UpstreamCall) => {
        calls.push(call);
        return new Promise<ReturnType<typeof answerOf>>((resolve) =>
          waitingFor.push((status) => resolve(answerOf(status))),
        );
      },
      answerAll: (status = 200) => {
        for (const resolve of waitingFor.splice(0)) resolve(status);
      },
      underWay: () => waitingFor.length,
    };
  }

  test('run one at a time and in order for a single browser', async () => {
    const stub = newOutbox();
    for (let flush = 0; flush < 4; flush++)
      await ingestAt(stub, delivery('a', ...events(flush * 25 + 1, flush * 25 + 25)), NOW);
    const upstream = heldUpstream();
    const most: number[] = [];

    await passAt(stub, upstream, NOW, {
      sleep: () => new Promise(() => {}),
      upstream: (call) => {
        const answer = upstream.answer(call);
        most.push(upstream.underWay());
        setTimeout(() => upstream.answerAll(), 1);
        return answer;
      },
    });

    expect(most).toEqual([1, 1, 1, 1]);
    expect(sentIds(upstream).flat()).toEqual(ids(1, 100));
  });

  test('do not delay a full batch that arrives meanwhile', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    const upstream = heldUpstream();
    let ring = () => {};

    const pass = passAt(stub, upstream, NOW, {
      sleep: () => new Promise(() => {}),
      fullBatch: () => new Promise((resolve) => (ring = () => resolve())),
      upstream: (call) => upstream.answer(call),
    });
    await expect.poll(() => upstream.underWay()).toBe(1);
    await ingestAt(stub, delivery('b', ...events(1, 25)), NOW);
    await runInDurableObject(stub, () => ring());
    await expect.poll(() => upstream.underWay()).toBe(2);
    await runInDurableObject(stub, () => upstream.answerAll());
    await pass;

    expect(await waiting(stub)).toBe(0);
  });

  test('do not make a full batch ask the gate again while it refuses', async () => {
    const stub = newOutbox();
    for (const device of ['a', 'b']) await ingestAt(stub, delivery(device, ...events(1, 25)), NOW);
    const upstream = heldUpstream();
    const refused = { ...REFUSED, retryInMs: 60_000 };
    let requests = 0;
    let ring = () => {};

    const pass = passAt(stub, upstream, NOW, {
      sleep: () => new Promise(() => {}),
      fullBatch: () => new Promise((resolve) => (ring = () => resolve())),
      upstream: (call) => upstream.answer(call),
      gate: { ...OPEN, take: async () => (++requests === 1 ? GRANTED : refused) },
    });
    await expect.poll(() => requests).toBe(2);
    await runInDurableObject(stub, () => ring());
    await runInDurableObject(stub, () => upstream.answerAll());

    expect(await pass).toEqual({ nextAt: NOW + 60_000, backsOff: true });
    // Before the call, after it, and once its answer was there.
    expect(requests).toBe(3);
  });
});

test('a pass makes no more requests than the platform allows in one run, and the next pass continues', async () => {
  const stub = newOutbox();
  for (let n = 0; n < 40; n++) await ingestAt(stub, delivery(`d${n}`, ...events(1, 25)), NOW);
  const upstream = scriptedUpstream();
  let requests = 0;
  const gate = {
    ...OPEN,
    take: async () => {
      requests += 1;
      return GRANTED;
    },
  };

  const { nextAt } = await passAt(stub, upstream, LINGERED, { gate, maxSubrequests: 50 });

  expect(upstream.calls.length).toBeGreaterThan(5);
  expect(upstream.calls.length + requests).toBeLessThanOrEqual(50);
  expect(nextAt).toBe(LINGERED);
});

test('an account-wide probe uses one record of a waiting browser', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
  const upstream = scriptedUpstream(401);
  const permits = [{ ...GRANTED, probe: true }];

  await passAt(stub, upstream, LINGERED, {
    gate: { ...OPEN, take: async () => permits.shift() ?? REFUSED },
  });

  expect(sentIds(upstream)).toEqual([ids(1, 1)]);
});

test('a success in undocumented words is accepted, counted and reported', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
  const reported: string[] = [];

  await passAt(stub, scriptedUpstream(answerOf(200, { says: 'accepted' })), LINGERED, {
    logUnfamiliar: (says) => void reported.push(says),
  });

  expect(reported).toEqual(['accepted']);
  const { totals } = await stub.status();
  expect(totals).toMatchObject({ taken: 1, unfamiliar: 1, delivered: 25 });
});

describe('a part of a refused batch that mixes a suspect record with others', () => {
  /** The part, and evidence by which `Poison` is refused. `tried`: a call with it may have been taken. */
  async function withPart(tried: boolean) {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', eventRecord(1, { eventName: 'Plain', eventData: {} })), NOW);
    await ingestAt(stub, delivery('b', eventRecord(1, { eventName: 'Poison', eventData: {} })), NOW);
    const evidence = noEvidence();
    for (let n = 0; n < 9; n++) evidence.suspects.taken('event', [{ id: 'x', eventName: 'Plain' }]);
    evidence.suspects.refused('event', { id: 'x', eventName: 'Poison' });
    await runInDurableObject(stub, (_, { storage }) => {
      const members = [1, 2].map((seq) => ({ seq, device: seq === 1 ? 'a' : 'b', from: 0, to: 1 }));
      const part = { kind: 'event', members, isolating: true, status: 400, attempts: 1 } as const;
      const sealed = seal(storage.sql, part, 'the-part', NOW);
      evidence.sealedWith.set('the-part', 1);
      if (!tried) return;
      // No answer; and then one that holds the account, as a key that is wrong meanwhile does.
      const unknown = { status: 0, failures: 1, dueAt: NOW };
      postpone(storage, sealed, unknown, {}, NOW);
      postpone(
        storage,
        { ...sealed, attempts: 2 },
        { status: 401, failures: 0, dueAt: NOW, refused: true },
        {},
        NOW,
      );
    });
    const upstream = refusing('Poison');
    await passAt(stub, upstream, LINGERED, { evidence });
    return upstream.calls.map(({ requestId }) => requestId);
  }

  test('is cut anew if it was never sent, so that they travel apart', async () => {
    expect(await withPart(false)).not.toContain('the-part');
  });

  test('keeps its members and its id if it was sent, because it may have been accepted', async () => {
    expect((await withPart(true))[0]).toBe('the-part');
  });
});
