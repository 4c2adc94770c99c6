import { MAX_BATCH_RECORDS } from '../../src/contract/batch.ts';
import { inTurn, type Turns } from '../../src/edge/durable-objects/turn.ts';
import { takePermit } from '../../src/edge/gate/permits.ts';
import { OPEN_GATE } from '../../src/edge/gate/state.ts';
import { cutBatch } from '../../src/edge/queue/cut-batch.ts';
import type { Run } from '../../src/edge/queue/run.ts';
import { limitWithin } from '../../src/pacing/sliding-limit.ts';

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

// Copied from src/edge. test/scale.test.ts compares them.
export const SOONEST_ALARM_MS = 25;
export const MAX_IN_FLIGHT = 6;
export const PASS_MS = 180_000;
export const MIN_LOOK_MS = 25;
export const SLEEP_RATHER_MS = 600;

/**
 * Assumed, uniform over the range: the time for WebEngage's answer, and for a round trip from an outbox to the gate.
 */
export const ANSWER_MS = { from: 200, to: 400 } as const;
export const ASK_MS = { from: 4, to: 16 } as const;

// The account's default limit, without a secondary key.
const LIMITS = { requestsPerMinute: 500, hasSecondaryKey: false, importFloor: 0.05 };

// Long enough that chance does not show in the figures.
const LEAST_MS = 120_000;
const LEAST_FLUSHES = 3_000;

// A cache: the tables use some scenarios twice.
const simulated = new Map<string, Fill>();

type Phase = 'asleep' | 'asking' | 'starting' | 'waiting';

type Outbox = {
  phase: Phase;
  /** When it continues by itself. While asleep, the time of its alarm. */
  at: number;
  alarmAt: number;
  backoffUntil: number;
  passEndsAt: number;
  /** A full batch wakes it before `at`. */
  hearsBell: boolean;
  readonly runs: Run[];
  landings: number[];
};

/** Mulberry32, a seeded generator: the same seed gives the same numbers, so that the tables stay comparable. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Simulates outboxes and the gate in virtual time. Flushes of events arrive at random, each from another
 * browser, and WebEngage accepts every call. The relay's own code cuts batches and grants permits. Alarms and
 * passes are modelled on `ingest` and `relayPasses`, which need the Workers runtime.
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
  const between = ({ from, to }: { readonly from: number; readonly to: number }) =>
    from + random() * (to - from);
  const flushEveryMs = (1_000 * recordsPerFlush) / recordsPerSecond;
  const nextArrival = (now: number) => now - Math.log(1 - random()) * flushEveryMs;
  const endsAt = Math.max(LEAST_MS, LEAST_FLUSHES * flushEveryMs);

  const outboxes = Array.from(
    { length: shards },
    (): Outbox => ({
      phase: 'asleep',
      at: Number.POSITIVE_INFINITY,
      alarmAt: Number.POSITIVE_INFINITY,
      backoffUntil: 0,
      passEndsAt: 0,
      hearsBell: false,
      runs: [],
      landings: [],
    }),
  );
  // Starts with the burst used up. In reality it comes once after a rest, not every two minutes.
  const { burst, spacingMs } = limitWithin(LIMITS.requestsPerMinute);
  let gate = { ...OPEN_GATE, pace: { nextDueAt: burst * spacingMs } };
  const turns: Turns = new Map();
  let seq = 0;
  const total = { came: 0, sent: 0, calls: 0, waitedMs: 0, permitRequests: 0, passes: 0, alarmsSet: 0 };

  const setAlarm = (outbox: Outbox, at: number): void => {
    total.alarmsSet += 1;
    outbox.alarmAt = at;
    if (outbox.phase === 'asleep') outbox.at = at;
  };
  const sleep = (outbox: Outbox): void => {
    outbox.phase = 'asleep';
    outbox.at = outbox.alarmAt;
  };
  const endPass = (outbox: Outbox, nextAt: number, backsOff: boolean, now: number): void => {
    outbox.backoffUntil = backsOff ? nextAt : 0;
    const soonest = now + SOONEST_ALARM_MS;
    if (outbox.alarmAt < soonest || outbox.alarmAt > nextAt) setAlarm(outbox, Math.max(nextAt, soonest));
    sleep(outbox);
  };
  const endOrWait = (outbox: Outbox, until: number, backsOff: boolean, now: number): void => {
    if (outbox.landings.length === 0) endPass(outbox, until, backsOff, now);
    else Object.assign(outbox, { phase: 'waiting', at: until, hearsBell: !backsOff });
  };

  const look = (outbox: Outbox, now: number): void => {
    if (now >= outbox.passEndsAt) {
      endPass(outbox, now, false, now);
      return;
    }
    if (outbox.landings.length >= MAX_IN_FLIGHT) {
      Object.assign(outbox, { phase: 'waiting', at: Number.POSITIVE_INFINITY, hearsBell: false });
      return;
    }
    const next = cutBatch(outbox.runs, { lingerMs }, now);
    if (next.step === 'cut') Object.assign(outbox, { phase: 'asking', at: now + between(ASK_MS) });
    else if (next.step === 'wait') endOrWait(outbox, next.until, false, now);
    else if (outbox.landings.length > 0) endOrWait(outbox, now + Math.max(MIN_LOOK_MS, lingerMs), false, now);
    else {
      outbox.backoffUntil = 0;
      sleep(outbox);
    }
  };

  const requestPermit = (outbox: Outbox, now: number): void => {
    total.permitRequests += 1;
    const decided = takePermit(gate, { isolating: false, seen: undefined }, LIMITS, now);
    gate = decided.state;
    const permit = inTurn(decided.permit, turns, `${outboxes.indexOf(outbox)}`, now);
    if (permit.granted) Object.assign(outbox, { phase: 'starting', at: now + permit.startInMs });
    else if (permit.retryInMs <= SLEEP_RATHER_MS && outbox.landings.length === 0)
      Object.assign(outbox, { phase: 'waiting', at: now + permit.retryInMs, hearsBell: false });
    else endOrWait(outbox, now + permit.retryInMs, true, now);
  };

  const start = (outbox: Outbox, now: number): void => {
    const next = cutBatch(outbox.runs, { lingerMs }, now);
    if (next.step === 'cut') {
      // Each run is from another browser, and all are of one kind. So the batch consists of the first runs, uncut.
      for (const { count, at } of outbox.runs.splice(0, next.cut.members.length)) {
        total.sent += count;
        total.waitedMs += count * (now - at);
      }
      total.calls += 1;
      outbox.landings.push(now + between(ANSWER_MS));
    }
    look(outbox, now);
  };

  const goOn = (outbox: Outbox, now: number): void => {
    const landed = outbox.landings.some((at) => at <= now);
    outbox.landings = outbox.landings.filter((at) => at > now);
    const { phase } = outbox;
    if (landed && phase === 'waiting') look(outbox, now);
    else if (outbox.at > now) return;
    else if (phase === 'asking') requestPermit(outbox, now);
    else if (phase === 'starting') start(outbox, now);
    else {
      if (phase === 'asleep') {
        total.passes += 1;
        Object.assign(outbox, { alarmAt: Number.POSITIVE_INFINITY, passEndsAt: now + PASS_MS });
      }
      look(outbox, now);
    }
  };

  const ingest = (outbox: Outbox, now: number): void => {
    seq += 1;
    total.came += recordsPerFlush;
    outbox.runs.push({ seq, device: `${seq}`, kind: 'event', at: now, count: recordsPerFlush, taken: 0 });
    const dueAt = Math.max(now + SOONEST_ALARM_MS, outbox.backoffUntil);
    if (outbox.alarmAt <= dueAt) return;
    const isFull = outbox.runs.length * recordsPerFlush >= MAX_BATCH_RECORDS;
    if (isFull && outbox.phase === 'waiting' && outbox.hearsBell) outbox.at = now;
    const wantedAt = isFull ? dueAt : Math.max(dueAt, now + lingerMs);
    if (outbox.alarmAt > wantedAt) setAlarm(outbox, wantedAt);
  };

  let arrivesAt = nextArrival(0);
  for (let now = 0; ; ) {
    const next = firstToMove(outboxes);
    now = Math.min(arrivesAt, next.at);
    if (now >= endsAt) break;
    if (arrivesAt === now) {
      const outbox = outboxes[Math.floor(random() * shards)];
      if (outbox !== undefined) ingest(outbox, now);
      arrivesAt = nextArrival(now);
    } else if (next.outbox !== undefined) goOn(next.outbox, now);
  }

  const minutes = endsAt / 60_000;
  return {
    recordsPerCall: total.sent / total.calls,
    callsPerMinute: total.calls / minutes,
    waitMs: total.waitedMs / total.sent,
    permitRequestsPerMinute: total.permitRequests / minutes,
    passesPerMinute: total.passes / minutes,
    alarmsSetPerMinute: total.alarmsSet / minutes,
    came: total.came,
    sent: total.sent,
    waiting: outboxes.reduce((sum, { runs }) => sum + runs.length * recordsPerFlush, 0),
  };
}

function momentOf({ at, landings }: Outbox): number {
  let moment = at;
  for (const landing of landings) if (landing < moment) moment = landing;
  return moment;
}

function firstToMove(outboxes: readonly Outbox[]): {
  readonly outbox: Outbox | undefined;
  readonly at: number;
} {
  let outbox: Outbox | undefined;
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
