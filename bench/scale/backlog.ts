import { MAX_BATCH_RECORDS } from '../../src/contract/batch.ts';
import { type RelaySettings, readSettings } from '../../src/edge/settings/settings.ts';
import { limitWithin } from '../../src/pacing/sliding-limit.ts';

/** Assumed: bytes that a waiting record takes in an outbox. */
export const BYTES_PER_RECORD = 700;

/** Assumed: records that a browser sends together. */
export const RECORDS_PER_FLUSH = 5;

/** What one outbox is planned for: half of what the platform asks not to exceed for an object. */
export const FLUSHES_PER_SECOND_PER_OUTBOX = 500;

// As in src/edge: the test compares it.
export const MAX_DATABASE_BYTES = 8_000_000_000;

/** The relay as it is when nothing but what must be set is set. */
export const DEFAULTS: RelaySettings = defaultSettings();

/** Records a second that leave while there is a backlog: full calls, at the pace of the relay's own limit. */
export const DRAIN_PER_SECOND: number =
  (MAX_BATCH_RECORDS * 1_000) / limitWithin(DEFAULTS.requestsPerMinute).spacingMs;

export function shardsFor(recordsPerSecond: number): number {
  return Math.max(1, Math.ceil(recordsPerSecond / RECORDS_PER_FLUSH / FLUSHES_PER_SECOND_PER_OUTBOX));
}

/** Records that so many outboxes hold: MAX_BACKLOG, or what their databases take. */
export function capacityOf(shards: number): number {
  return Math.min(DEFAULTS.maxBacklog, Math.floor((shards * MAX_DATABASE_BYTES) / BYTES_PER_RECORD));
}

/** Records a second that have come, second by second, until `burstSeconds`; then those of the base load. */
export type Burst = {
  readonly recordsPerSecond: number;
  readonly burstSeconds: number;
  readonly basePerSecond: number;
  readonly capacity: number;
};

/** How it stands after so many seconds, in records. Came = sent + waiting + refused. */
export type BurstMoment = {
  readonly second: number;
  readonly came: number;
  readonly sent: number;
  /** At the relay. */
  readonly waiting: number;
  /** Refused with a 503: browsers keep them, and send them again as there is room. */
  readonly refused: number;
};

export const BURST_BEGINS: BurstMoment = { second: 0, came: 0, sent: 0, waiting: 0, refused: 0 };

/** One second later. */
export function burstStep(before: BurstMoment, burst: Burst): BurstMoment {
  const { recordsPerSecond, burstSeconds, basePerSecond, capacity } = burst;
  const coming = before.second < burstSeconds ? recordsPerSecond : basePerSecond;
  const offered = coming + before.refused;
  // What leaves in this second makes room in it.
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

/** At the end of the burst, and when nothing waits any more. */
export function playBurst(burst: Burst): { readonly atEnd: BurstMoment; readonly drained: BurstMoment } {
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
