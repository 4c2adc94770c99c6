import { MAX_BATCH_RECORDS } from '../../src/contract/batch.ts';
import { RESERVED_MS } from '../../src/edge/gate/reserve.ts';
import { MAX_SEGMENT_AGE_MS, MAX_SEGMENT_RUNS } from '../../src/edge/queue/segments/segment-limits.ts';
import {
  ROWS_READ_PER_ASK,
  ROWS_READ_PER_CALL,
  ROWS_READ_PER_FLUSH,
  ROWS_READ_PER_MEMBER_RUN,
  ROWS_READ_TO_SEE_IF_FULL,
  ROWS_WRITTEN_PER_ALARM,
  ROWS_WRITTEN_PER_CALL,
  ROWS_WRITTEN_PER_FLUSH,
  ROWS_WRITTEN_PER_PAGE_LOAD,
  ROWS_WRITTEN_PER_RESERVE,
  ROWS_WRITTEN_PER_TURN_OVER,
} from '../rows.ts';
import { BYTES_PER_RECORD, capacityOf, DRAIN_PER_SECOND, RECORDS_PER_FLUSH, SPACING_MS } from './backlog.ts';
import { type Fill, simulateFill } from './fill.ts';

export type Item =
  | 'workerRequests'
  | 'workerCpuMs'
  | 'objectRequests'
  | 'objectGbSeconds'
  | 'rowsWritten'
  | 'rowsRead'
  | 'storedGb';

type Rate = { readonly dollars: number; readonly included: number };

/**
 * Cloudflare's list prices per unit, and the monthly amounts in the Workers Paid plan, as of November 2026.
 * https://developers.cloudflare.com/workers/platform/pricing/
 * https://developers.cloudflare.com/durable-objects/platform/pricing/
 */
const RATES: Readonly<Record<Item, Rate>> = {
  workerRequests: { dollars: 0.3e-6, included: 10e6 },
  workerCpuMs: { dollars: 0.02e-6, included: 30e6 },
  objectRequests: { dollars: 0.15e-6, included: 1e6 },
  objectGbSeconds: { dollars: 12.5e-6, included: 400e3 },
  rowsWritten: { dollars: 1e-6, included: 50e6 },
  rowsRead: { dollars: 0.001e-6, included: 25e9 },
  storedGb: { dollars: 0.2, included: 5 },
};

export const PLAN_DOLLARS = 5;

const MONTH_SECONDS = 30 * 24 * 60 * 60;
const DAY_SECONDS = 24 * 60 * 60;

// An active object is billed for 128 MB. At most it is active all month.
const OBJECT_GB = 0.128;

/** Assumed: the Worker's CPU time for a flush. */
export const CPU_MS_PER_FLUSH = 2;

/** Assumed: records per page load, how long it lasts, and the bytes that an outbox needs to remember their ids. */
export const RECORDS_PER_SESSION = 25;
export const SECONDS_PER_SESSION = 120;
export const BYTES_PER_SESSION = 100;

// Dedup keeps a table for today and for each of the eight days before. On average that is 8.5 days.
const REMEMBERED_DAYS = 8.5;

// Above the drain rate, outboxes are full and behave the same at any rate. This one is simulated.
const OVERLOADED_PER_SECOND = 2 * DRAIN_PER_SECOND;

/** The monthly usage of each item at a steady rate. */
export type Usage = Readonly<Record<Item, number>>;

export function usageOf(recordsPerSecond: number, shards: number, lingerMs: number): Usage {
  const overloaded = recordsPerSecond > DRAIN_PER_SECOND;
  const fill = simulateFill({
    recordsPerSecond: overloaded ? OVERLOADED_PER_SECOND : recordsPerSecond,
    recordsPerFlush: RECORDS_PER_FLUSH,
    shards,
    lingerMs,
  });
  // Under overload, a flush that finds no room costs only the Worker's request and CPU time.
  const stored = Math.min(recordsPerSecond, DRAIN_PER_SECOND);
  const flushes = (stored / RECORDS_PER_FLUSH) * MONTH_SECONDS;
  const posted = (recordsPerSecond / RECORDS_PER_FLUSH) * MONTH_SECONDS;
  const { calls, permitRequests, passes, alarms } = monthOf(fill);
  const sessions = (stored * REMEMBERED_DAYS * DAY_SECONDS) / RECORDS_PER_SESSION;
  const segmentSeconds = Math.min(
    MAX_SEGMENT_AGE_MS / 1_000,
    (MAX_SEGMENT_RUNS * RECORDS_PER_FLUSH * shards) / stored,
  );
  // A page load is remembered with each segment that its flushes are in.
  const rememberedLoads =
    (stored / RECORDS_PER_SESSION) * MONTH_SECONDS * (1 + SECONDS_PER_SESSION / segmentSeconds);
  // Without a backlog, no more runs wait than two calls take.
  const waitingRuns = overloaded ? Number.POSITIVE_INFINITY : (2 * fill.recordsPerCall) / RECORDS_PER_FLUSH;
  const { batches, perRun, runs } = ROWS_READ_TO_SEE_IF_FULL;
  // The emptier the calls, the fewer flushes find so many records waiting.
  const looks = fill.recordsPerCall / MAX_BATCH_RECORDS;
  const readToSeeIfFull = looks * (batches + perRun * Math.min(runs, waitingRuns));
  const backlogBytes = overloaded ? capacityOf(shards) * BYTES_PER_RECORD : 0;
  return {
    workerRequests: posted,
    workerCpuMs: posted * CPU_MS_PER_FLUSH,
    objectRequests: flushes + permitRequests + passes,
    objectGbSeconds: (shards + 1) * OBJECT_GB * MONTH_SECONDS,
    rowsWritten:
      flushes * ROWS_WRITTEN_PER_FLUSH +
      Math.min(flushes, rememberedLoads) * ROWS_WRITTEN_PER_PAGE_LOAD +
      ((shards * MONTH_SECONDS) / segmentSeconds) * ROWS_WRITTEN_PER_TURN_OVER +
      calls * ROWS_WRITTEN_PER_CALL +
      Math.min(calls, (MONTH_SECONDS * 1_000) / (RESERVED_MS - SPACING_MS)) * ROWS_WRITTEN_PER_RESERVE +
      alarms * ROWS_WRITTEN_PER_ALARM,
    rowsRead:
      flushes * (ROWS_READ_PER_FLUSH + readToSeeIfFull + ROWS_READ_PER_MEMBER_RUN) +
      calls * ROWS_READ_PER_CALL +
      permitRequests * ROWS_READ_PER_ASK,
    storedGb: (backlogBytes + sessions * BYTES_PER_SESSION) / 1e9,
  };
}

/** Rows written for each stored record. */
export function rowsWrittenPerRecord(usage: Usage, recordsPerSecond: number): number {
  return usage.rowsWritten / (Math.min(recordsPerSecond, DRAIN_PER_SECOND) * MONTH_SECONDS);
}

/** Dollars a month for each item, at list prices. */
export function listPrice(usage: Usage): Readonly<Record<Item, number>> {
  return mapItems((item) => usage[item] * RATES[item].dollars);
}

/** Dollars a month on the Workers Paid plan, with nothing else on the account. */
export function planPrice(usage: Usage): number {
  const beyond = mapItems((item) => Math.max(0, usage[item] - RATES[item].included) * RATES[item].dollars);
  return PLAN_DOLLARS + total(beyond);
}

export function total(dollars: Readonly<Record<Item, number>>): number {
  return Object.values(dollars).reduce((sum, each) => sum + each, 0);
}

/** Dollars a month for alarms and permits during a backlog: the list price of their requests and rows. */
export function waitingPrice({ permitRequestsPerMinute, passesPerMinute, alarmsSetPerMinute }: Fill): number {
  const minutes = MONTH_SECONDS / 60;
  return (
    minutes *
    ((permitRequestsPerMinute + passesPerMinute) * RATES.objectRequests.dollars +
      alarmsSetPerMinute * ROWS_WRITTEN_PER_ALARM * RATES.rowsWritten.dollars)
  );
}

function monthOf({ callsPerMinute, permitRequestsPerMinute, passesPerMinute, alarmsSetPerMinute }: Fill) {
  const minutes = MONTH_SECONDS / 60;
  return {
    calls: callsPerMinute * minutes,
    permitRequests: permitRequestsPerMinute * minutes,
    passes: passesPerMinute * minutes,
    alarms: alarmsSetPerMinute * minutes,
  };
}

function mapItems(amountOf: (item: Item) => number): Record<Item, number> {
  const items = Object.keys(RATES) as Item[];
  return Object.fromEntries(items.map((item) => [item, amountOf(item)])) as Record<Item, number>;
}
