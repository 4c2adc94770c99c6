import { MAX_BATCH_RECORDS } from '../../src/contract/batch.ts';
import { chances } from './chances.ts';
import { simulatedGate } from './simulated-gate.ts';
import {
  goOn,
  ingest,
  momentOf,
  type SimulatedOutbox,
  type Simulation,
  simulatedOutbox,
} from './simulated-outbox.ts';

/** The incoming traffic, and the relay's settings. */
export type Traffic = {
  readonly recordsPerSecond: number;
  readonly recordsPerFlush: number;
  readonly shards: number;
  readonly lingerMs: number;
};

/** How the outboxes and the gate handle the traffic. */
export type Fill = {
  readonly recordsPerCall: number;
  readonly callsPerMinute: number;
  /** Average time in ms from a record's arrival to the start of its call. */
  readonly waitMs: number;
  /** Requests to the gate, granted or refused. Each call takes one permit. */
  readonly permitRequestsPerMinute: number;
  /** Alarms that ran, and calls of `setAlarm()`. Both are billed. */
  readonly passesPerMinute: number;
  readonly alarmsSetPerMinute: number;
  readonly came: number;
  readonly sent: number;
  readonly waiting: number;
};

// Long enough that chance does not show in the figures.
const LEAST_MS = 120_000;
const LEAST_FLUSHES = 3_000;

// A cache: the tables use some scenarios twice.
const simulated = new Map<string, Fill>();

/**
 * Simulates outboxes and the gate in virtual time. Flushes of events arrive at random, each from another
 * browser, and WebEngage accepts every call.
 */
export function simulateFill(traffic: Traffic): Fill {
  const key = JSON.stringify(traffic, ['recordsPerSecond', 'recordsPerFlush', 'shards', 'lingerMs']);
  const known = simulated.get(key) ?? simulate(traffic);
  simulated.set(key, known);
  return known;
}

function simulate({ recordsPerSecond, recordsPerFlush, shards, lingerMs }: Traffic): Fill {
  // Otherwise a run would be cut in two and its browser would have to wait, which is not simulated.
  if (MAX_BATCH_RECORDS % recordsPerFlush !== 0) throw new RangeError('recordsPerFlush must divide a batch');

  const random = chances(1);
  const flushEveryMs = (1_000 * recordsPerFlush) / recordsPerSecond;
  const nextArrival = (now: number) => now - Math.log(1 - random()) * flushEveryMs;
  const endsAt = Math.max(LEAST_MS, LEAST_FLUSHES * flushEveryMs);
  const outboxes = Array.from({ length: shards }, (_, index) => simulatedOutbox(`${index}`));
  const total = { flushes: 0, sent: 0, calls: 0, waitedMs: 0, permitRequests: 0, passes: 0, alarmsSet: 0 };
  const simulation: Simulation = { gate: simulatedGate(), random, lingerMs, recordsPerFlush, total };

  let arrivesAt = nextArrival(0);
  for (let now = 0; ; ) {
    const next = firstToMove(outboxes);
    now = Math.min(arrivesAt, next.at);
    if (now >= endsAt) break;
    if (arrivesAt === now) {
      const outbox = outboxes[Math.floor(random() * shards)];
      if (outbox !== undefined) ingest(simulation, outbox, now);
      arrivesAt = nextArrival(now);
    } else if (next.outbox !== undefined) goOn(simulation, next.outbox, now);
  }

  const minutes = endsAt / 60_000;
  return {
    recordsPerCall: total.sent / total.calls,
    callsPerMinute: total.calls / minutes,
    waitMs: total.waitedMs / total.sent,
    permitRequestsPerMinute: total.permitRequests / minutes,
    passesPerMinute: total.passes / minutes,
    alarmsSetPerMinute: total.alarmsSet / minutes,
    came: total.flushes * recordsPerFlush,
    sent: total.sent,
    waiting: outboxes.reduce((sum, { runs }) => sum + runs.length * recordsPerFlush, 0),
  };
}

function firstToMove(outboxes: readonly SimulatedOutbox[]): {
  readonly outbox: SimulatedOutbox | undefined;
  readonly at: number;
} {
  let outbox: SimulatedOutbox | undefined;
  let at = Number.POSITIVE_INFINITY;
  for (const each of outboxes) {
    const moment = momentOf(each);
    if (moment < at) {
      outbox = each;
      at = moment;
    }
  }
  return { outbox, at };
}
