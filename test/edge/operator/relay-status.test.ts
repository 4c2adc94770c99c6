import { describe, expect, test } from 'vitest';
import { relayStatus } from '../../../src/edge/operator/relay-status.ts';
import { NOTHING, type Totals } from '../../../src/edge/queue/counters/totals.ts';
import { NO_VIOLATIONS } from '../../../src/edge/queue/plan-violations.ts';
import type { OutboxStatus } from '../../../src/edge/queue/status.ts';

const MINUTE = 60_000;
const NOW = Date.parse('2026-11-23T12:00:30Z');
const RUNNING = NOW - 30_000;

const totals = (counted: Partial<Totals>): Totals => ({ ...NOTHING, ...counted });

function outbox(name: string, fields: Partial<OutboxStatus> = {}) {
  const status: OutboxStatus = {
    records: 0,
    oldestAgeMs: 0,
    retrying: 0,
    byStatus: {},
    deadLetters: 0,
    databaseBytes: 4_096,
    full: false,
    totals: NOTHING,
    minutes: [],
    violations: NO_VIOLATIONS,
    lanes: [],
    senders: [],
    ...fields,
  };
  return { name, status };
}

const GATE = {
  requestsPerMinute: 500,
  pausedUntil: null,
  suspension: null,
  key: 'primary',
  maxCallBytes: null,
  onHold: [],
} as const;
const BOTS = { mode: 'count', counts: { lastHour: {}, total: {} } } as const;

const statusOf = (...outboxes: Parameters<typeof relayStatus>[0]) =>
  relayStatus(outboxes, GATE, { version: '1.2.3', maxBacklog: 1_000, bots: BOTS }, NOW);

describe('the minutes', () => {
  test('contain what happened in each, over all outboxes, and the running one also uncommitted counts', () => {
    const { minutes } = statusOf(
      outbox('2/0', {
        minutes: [
          { at: RUNNING - MINUTE, totals: totals({ entered: 50, delivered: 40, taken: 2, unknown: 1 }) },
          { at: RUNNING, totals: totals({ entered: 60, delivered: 60, taken: 3, unknown: 1 }) },
        ],
        totals: totals({ entered: 75, delivered: 60, taken: 3, unknown: 1 }),
      }),
      outbox('2/1', {
        minutes: [{ at: RUNNING, totals: totals({ entered: 7, delivered: 7, taken: 1, dead_letter: 0 }) }],
        totals: totals({ entered: 7, delivered: 7, taken: 1 }),
      }),
    );

    expect(minutes).toEqual([
      {
        at: RUNNING - MINUTE,
        accepted: 50,
        unverified: 0,
        calls: 3,
        delivered: 40,
        deadLetters: 0,
        failed: 1,
      },
      { at: RUNNING, accepted: 32, unverified: 0, calls: 2, delivered: 27, deadLetters: 0, failed: 0 },
    ]);
  });

  test('leave out those more than an hour ago', () => {
    const { minutes } = statusOf(
      outbox('1/0', {
        minutes: [
          { at: RUNNING - 90 * MINUTE, totals: totals({ delivered: 1_000, taken: 40 }) },
          { at: RUNNING - 30 * MINUTE, totals: totals({ delivered: 1_010, taken: 41 }) },
        ],
        totals: totals({ delivered: 1_010, taken: 41 }),
      }),
    );

    expect(minutes).toEqual([
      {
        at: RUNNING - 30 * MINUTE,
        accepted: 0,
        unverified: 0,
        calls: 1,
        delivered: 10,
        deadLetters: 0,
        failed: 0,
      },
    ]);
  });
});

describe('a minute', () => {
  test('does not count replayed records as accepted', () => {
    const counted = totals({ entered: 12, replayed: 2 });

    expect(statusOf(outbox('1/0', { totals: counted })).minutes).toMatchObject([{ accepted: 10 }]);
  });

  test('ahead of a clock that was set back stays the running one', () => {
    const at = RUNNING + 5 * MINUTE;

    const { minutes } = statusOf(
      outbox('1/0', {
        minutes: [{ at, totals: totals({ delivered: 10 }) }],
        totals: totals({ delivered: 12 }),
      }),
    );

    expect(minutes).toMatchObject([{ at, delivered: 12 }]);
  });
});

describe('the backlog', () => {
  const draining = (entered: number, delivered: number) =>
    outbox('1/0', {
      records: 10_000 + entered - delivered,
      minutes: [
        { at: RUNNING - 10 * MINUTE, totals: totals({ entered: 10_000 }) },
        { at: RUNNING - 2 * MINUTE, totals: totals({ entered: 10_000 + entered, delivered }) },
      ],
      totals: totals({ entered: 10_000 + entered, delivered }),
    });

  test('tells how fast it drains and how long that takes', () => {
    // 5,000 fewer in the two and a half minutes since.
    expect(statusOf(draining(1_000, 6_000)).backlog).toMatchObject({
      records: 5_000,
      growthPerMinute: -2_000,
      drainMs: 150_000,
    });
  });

  test('tells that it grows, without a time', () => {
    expect(statusOf(draining(6_000, 1_000)).backlog).toMatchObject({ growthPerMinute: 2_000, drainMs: null });
  });

  test('is empty if no records are waiting', () => {
    expect(statusOf(outbox('1/0')).backlog).toMatchObject({ records: 0, growthPerMinute: 0, drainMs: 0 });
  });

  test('is as old as the oldest of any outbox', () => {
    const ages = [3, 7, 5].map((oldestAgeMs, index) => outbox(`3/${index}`, { oldestAgeMs }));

    expect(statusOf(...ages).backlog.oldestAgeMs).toBe(7);
  });

  test('adds up retried batches by status', () => {
    const status = statusOf(
      outbox('2/0', { retrying: 3, byStatus: { '503': 2, '0': 1 } }),
      outbox('2/1', { retrying: 1, byStatus: { '503': 1 } }),
    );

    expect(status.backlog).toMatchObject({ retrying: 4, byStatus: { '503': 3, '0': 1 } });
  });
});

test('records per call count the accepted calls of the hour, and are absent without one', () => {
  const at = RUNNING - MINUTE;
  const counted = totals({ delivered: 98, taken: 4, unknown: 9 });

  expect(
    statusOf(outbox('1/0', { minutes: [{ at, totals: counted }], totals: counted })).recordsPerCall,
  ).toBe(24.5);
  expect(statusOf(outbox('1/0')).recordsPerCall).toBeNull();
});

test('a replayed record counts as accepted once', () => {
  const { totals: sums } = statusOf(
    outbox('1/0', {
      totals: totals({ entered: 12, replayed: 2, delivered: 9, dead_letter: 3, taken: 1, refused: 2 }),
    }),
  );

  expect(sums).toMatchObject({ accepted: 10, replayed: 2, calls: 3 });
  expect((sums.accepted ?? 0) + (sums.replayed ?? 0)).toBe((sums.delivered ?? 0) + (sums.dead_letter ?? 0));
});

describe('lanes and senders', () => {
  const crm = { name: 'crm', lane: 'server', accepted: 5, duplicates: 2, rejected: 1 } as const;
  const imports = { name: 'crm', lane: 'import', accepted: 100, duplicates: 0, rejected: 0 } as const;
  const lanesOf = (live: number, server: number, oldestAgeMs: number) =>
    [
      { lane: 'live', records: live, oldestAgeMs },
      { lane: 'server', records: server, oldestAgeMs: 0 },
      { lane: 'import', records: 0, oldestAgeMs: 0 },
    ] as const;

  test('are added up over all outboxes, with the longest wait in each lane', () => {
    const { lanes, senders } = statusOf(
      outbox('2/0', { lanes: lanesOf(3, 1, 400), senders: [crm] }),
      outbox('2/1', { lanes: lanesOf(4, 0, 900), senders: [imports, crm] }),
    );

    expect(lanes).toEqual(lanesOf(7, 1, 900));
    expect(senders.slice(1)).toEqual([{ ...crm, accepted: 10, duplicates: 4, rejected: 2 }, imports]);
  });

  test('count as pages’ whatever no server sent', () => {
    const counted = totals({ entered: 121, replayed: 1, duplicate: 6, rejected: 2, expired: 3 });

    const { senders } = statusOf(outbox('1/0', { totals: counted, senders: [crm, imports] }));

    expect(senders[0]).toEqual({ name: null, lane: 'live', accepted: 15, duplicates: 4, rejected: 4 });
  });

  test('are those of all pages alone, and empty, for a relay that never got a record', () => {
    const { lanes, senders } = statusOf({ name: '1/0', status: undefined });

    expect(lanes).toEqual(lanesOf(0, 0, 0));
    expect(senders).toEqual([{ name: null, lane: 'live', accepted: 0, duplicates: 0, rejected: 0 }]);
  });
});
