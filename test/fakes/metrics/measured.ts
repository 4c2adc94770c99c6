import type { OutboxMetrics } from '../../../src/edge/durable-objects/outbox-metrics.ts';
import type { Measured } from '../../../src/edge/operator/metric-families.ts';
import { NOTHING } from '../../../src/edge/queue/counters/totals.ts';
import {
  addObservations,
  answeredIn,
  deliveredAfter,
  refusedFor,
} from '../../../src/edge/telemetry/observations.ts';

const FIGURES: OutboxMetrics = {
  records: 40,
  oldestAgeMs: 90_000,
  retrying: 1,
  deadLetters: 2,
  databaseBytes: 40_960,
  full: false,
  totals: {
    ...NOTHING,
    entered: 100,
    delivered: 58,
    dead_letter: 2,
    taken: 4,
    refused: 3,
    rejected: 5,
    expired: 1,
  },
  lanes: [
    { lane: 'live', records: 30, oldestAgeMs: 1_500 },
    { lane: 'server', records: 0, oldestAgeMs: 0 },
    { lane: 'import', records: 10, oldestAgeMs: 90_000 },
  ],
  senders: [{ name: 'billing "EU"', lane: 'server', accepted: 10, duplicates: 1, rejected: 2 }],
  observed: addObservations(
    addObservations(answeredIn(30), refusedFor('rate_limited')),
    deliveredAfter([{ ms: 4_000, records: 58 }]),
  ),
  isResting: false,
};

/** What a scrape finds of a busy relay: every metric has a series, and every label a value. */
export const MEASURED: Measured = {
  gate: {
    requestsPerMinute: 500,
    pausedUntil: null,
    suspension: null,
    key: 'primary',
    maxCallBytes: null,
    onHold: [],
    startedInLastMinute: 7,
    observed: refusedFor('origin_not_allowed'),
    outboxes: [],
  },
  outboxes: [
    { name: '2/0', figures: FIGURES },
    { name: '2/1', figures: undefined },
  ],
  missing: [],
  maxBacklog: 18_000_000,
};
