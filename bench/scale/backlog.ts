import { MAX_BATCH_RECORDS } from '../../src/contract/batch.ts';
import { type RelaySettings, readSettings } from '../../src/edge/settings/settings.ts';
import { limitWithin } from '../../src/pacing/sliding-limit.ts';

/** Assumed: bytes that a waiting record takes up in an outbox. */
export const BYTES_PER_RECORD = 700;

/** Assumed: records that a browser sends together. */
export const RECORDS_PER_FLUSH = 5;

/** The planned load of one outbox: half of the rate that the platform asks not to exceed for an object. */
export const FLUSHES_PER_SECOND_PER_OUTBOX = 500;

// Copied from src/edge. test/scale.test.ts compares them.
export const MAX_DATABASE_BYTES = 8_000_000_000;

/** The relay's settings with only the required ones set. */
export const DEFAULTS: RelaySettings = defaultSettings();

/** The time between two calls at the pace of the relay's own limit. */
export const SPACING_MS: number = limitWithin(DEFAULTS.requestsPerMinute).spacingMs;

/** Records a second that leave during a backlog: full calls at that pace. */
export const DRAIN_PER_SECOND: number = (MAX_BATCH_RECORDS * 1_000) / SPACING_MS;

export function shardsFor(recordsPerSecond: number): number {
  return Math.max(1, Math.ceil(recordsPerSecond / RECORDS_PER_FLUSH / FLUSHES_PER_SECOND_PER_OUTBOX));
}

/** Records that this many outboxes can hold: MAX_BACKLOG, or the capacity of their databases. */
export function capacityOf(shards: number): number {
  return Math.min(DEFAULTS.maxBacklog, Math.floor((shards * MAX_DATABASE_BYTES) / BYTES_PER_RECORD));
}

/** A burst of this rate lasts `burstSeconds`. After it, records arrive at the base rate. */
export type Burst = {
  readonly recordsPerSecond: number;
  readonly burstSeconds: number;
  readonly basePerSecond: number;
  readonly capacity: number;
};

/** Totals in records after this many seconds. Came = sent + waiting + refused. */
export type BurstMoment = {
  readonly second: number;
  readonly came: number;
  readonly sent: number;
  /** Waiting at the relay. */
  readonly waiting: number;
  /** Refused with a 503. Browsers keep these records, and send them again once there is room. */
  readonly refused: number;
};

export const BURST_BEGINS: BurstMoment = { second: 0, came: 0, sent: 0, waiting: 0, refused: 0 };

/** Advances by one second. */
export function burstStep(before: BurstMoment, burst: Burst): BurstMoment {
  const { recordsPerSecond, burstSeconds, basePerSecond, capacity } = burst;
  const coming = before.second < burstSeconds ? recordsPerSecond : basePerSecond;
  const offered = coming + before.refused;
  // Records that leave in this second make room in the same second.
  const sending = Math.min(before.waiting + offered, DRAIN_PER_SECOND);
  const waiting = Math.min(capacity, before.waiting + offered - sending);
  return {
    second: before.second + 1,
    came: before.came + coming,
    sent: before.sent + sending,
    waiting,
    refused: before.waiting + offered - sending - waiting,
  };
}

/** The totals at the end of the burst, and once the backlog is empty. */
export function simulateBurst(burst: Burst): { readonly atEnd: BurstMoment; readonly drained: BurstMoment } {
  let moment = BURST_BEGINS;
  while (moment.second < burst.burstSeconds) moment = burstStep(moment, burst);
  const atEnd = moment;
  while (moment.waiting > 0) moment = burstStep(moment, burst);
  return { atEnd, drained: moment };
}

function defaultSettings(): RelaySettings {
  const read = readSettings({
    WEBENGAGE_API_KEY: 'key',
    WEBENGAGE_LICENSE_CODE: '~license',
    ALLOWED_ORIGINS: 'https://example.com',
  });
  if (!read.ok) throw new Error(read.message);
  return read.settings;
}
