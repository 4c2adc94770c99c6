import type { RelayStatus } from '../../src/edge/operator/relay-status.ts';

/** 2026-11-24T02:14:30Z. */
export const NOW = 1_795_486_470_000;

const NO_BOTS: RelayStatus['bots']['total'] = {
  records: 0,
  refused: 0,
  calls: 0,
  bySign: { user_agent: 0, webdriver: 0, cloudflare: 0 },
};

type Changes = {
  readonly [Part in keyof RelayStatus]?: RelayStatus[Part] extends readonly unknown[]
    ? RelayStatus[Part]
    : Partial<RelayStatus[Part]>;
};

/** What a relay tells that has nothing to do, but for the changes. */
export function status(changes: Changes = {}): RelayStatus {
  const idle: RelayStatus = {
    version: '0.1.0',
    at: NOW,
    backlog: {
      records: 0,
      oldestAgeMs: 0,
      retrying: 0,
      byStatus: {},
      maxRecords: 18_000_000,
      growthPerMinute: 0,
      drainMs: 0,
    },
    lanes: [
      { lane: 'live', records: 0, oldestAgeMs: 0 },
      { lane: 'server', records: 0, oldestAgeMs: 0 },
      { lane: 'import', records: 0, oldestAgeMs: 0 },
    ],
    senders: [{ name: null, lane: 'live', accepted: 0, duplicates: 0, rejected: 0 }],
    deadLetters: 0,
    gate: {
      requestsPerMinute: 500,
      pausedUntil: null,
      suspension: null,
      key: 'primary',
      maxCallBytes: null,
      onHold: [],
    },
    minutes: [],
    recordsPerCall: null,
    totals: {
      accepted: 0,
      entered: 0,
      duplicate: 0,
      rejected: 0,
      expired: 0,
      unverified: 0,
      delivered: 0,
      dead_letter: 0,
      erased: 0,
      requeued: 0,
      replayed: 0,
      discarded: 0,
      calls: 0,
      taken: 0,
      refused: 0,
      paused: 0,
      misconfigured: 0,
      unknown: 0,
      too_large: 0,
      unfamiliar: 0,
    },
    shards: [],
    bots: { mode: 'count', lastHour: NO_BOTS, total: NO_BOTS },
    alerts: { active: [], destinations: [], runbooks: 'https://docs.example/runbooks.md' },
    trackingPlan: null,
  };
  return {
    ...idle,
    ...changes,
    backlog: { ...idle.backlog, ...changes.backlog },
    gate: { ...idle.gate, ...changes.gate },
    totals: { ...idle.totals, ...changes.totals },
  } as RelayStatus;
}

export function shard(changes: Partial<RelayStatus['shards'][number]> = {}): RelayStatus['shards'][number] {
  return {
    name: '1/0',
    records: 0,
    oldestAgeMs: 0,
    deadLetters: 0,
    databaseBytes: 0,
    full: false,
    unreachable: false,
    ...changes,
  };
}

export function minute(
  at: number,
  changes: Partial<RelayStatus['minutes'][number]> = {},
): RelayStatus['minutes'][number] {
  return { at, accepted: 0, unverified: 0, calls: 0, delivered: 0, deadLetters: 0, failed: 0, ...changes };
}
