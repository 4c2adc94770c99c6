import { MAX_BATCH_RECORDS } from '../../src/contract/batch.ts';
import { cutBatch } from '../../src/edge/queue/cut-batch.ts';
import type { Run } from '../../src/edge/queue/run.ts';
import type { SimulatedGate } from './simulated-gate.ts';

// The relay's own code cuts batches. Alarms and passes are modelled on `ingest` and `relayPasses`, which need the
// Workers runtime.

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

type Phase = 'asleep' | 'asking' | 'starting' | 'waiting';

export type SimulatedOutbox = {
  readonly name: string;
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

/** What is around the outboxes. */
export type Simulation = {
  readonly gate: SimulatedGate;
  readonly random: () => number;
  readonly lingerMs: number;
  readonly recordsPerFlush: number;
  readonly total: Total;
};

/** What all outboxes have done so far. */
type Total = {
  flushes: number;
  sent: number;
  calls: number;
  waitedMs: number;
  permitRequests: number;
  passes: number;
  alarmsSet: number;
};

export function simulatedOutbox(name: string): SimulatedOutbox {
  return {
    name,
    phase: 'asleep',
    at: Number.POSITIVE_INFINITY,
    alarmAt: Number.POSITIVE_INFINITY,
    backoffUntil: 0,
    passEndsAt: 0,
    hearsBell: false,
    runs: [],
    landings: [],
  };
}

/** The next moment at which the outbox does something. */
export function momentOf({ at, landings }: SimulatedOutbox): number {
  let moment = at;
  for (const landing of landings) if (landing < moment) moment = landing;
  return moment;
}

/** Stores a flush of another browser. */
export function ingest(simulation: Simulation, outbox: SimulatedOutbox, now: number): void {
  const { total, recordsPerFlush, lingerMs } = simulation;
  total.flushes += 1;
  const seq = total.flushes;
  outbox.runs.push({ seq, device: `${seq}`, kind: 'event', at: now, count: recordsPerFlush, taken: 0 });
  const dueAt = Math.max(now + SOONEST_ALARM_MS, outbox.backoffUntil);
  if (outbox.alarmAt <= dueAt) return;
  const isFull = outbox.runs.length * recordsPerFlush >= MAX_BATCH_RECORDS;
  if (isFull && outbox.phase === 'waiting' && outbox.hearsBell) outbox.at = now;
  const wantedAt = isFull ? dueAt : Math.max(dueAt, now + lingerMs);
  if (outbox.alarmAt > wantedAt) setAlarm(simulation, outbox, wantedAt);
}

/** Does what is due: an answer has arrived, an alarm rings, or a wait is over. */
export function goOn(simulation: Simulation, outbox: SimulatedOutbox, now: number): void {
  const landed = outbox.landings.some((at) => at <= now);
  outbox.landings = outbox.landings.filter((at) => at > now);
  const { phase } = outbox;
  if (landed && phase === 'waiting') look(simulation, outbox, now);
  else if (outbox.at > now) return;
  else if (phase === 'asking') requestPermit(simulation, outbox, now);
  else if (phase === 'starting') start(simulation, outbox, now);
  else {
    if (phase === 'asleep') {
      simulation.total.passes += 1;
      Object.assign(outbox, { alarmAt: Number.POSITIVE_INFINITY, passEndsAt: now + PASS_MS });
    }
    look(simulation, outbox, now);
  }
}

function look(simulation: Simulation, outbox: SimulatedOutbox, now: number): void {
  const { lingerMs } = simulation;
  if (now >= outbox.passEndsAt) {
    endPass(simulation, outbox, { nextAt: now, backsOff: false }, now);
    return;
  }
  if (outbox.landings.length >= MAX_IN_FLIGHT) {
    Object.assign(outbox, { phase: 'waiting', at: Number.POSITIVE_INFINITY, hearsBell: false });
    return;
  }
  const next = cutBatch(outbox.runs, { lingerMs }, now);
  if (next.step === 'cut')
    Object.assign(outbox, { phase: 'asking', at: now + between(simulation.random, ASK_MS) });
  else if (next.step === 'wait') endOrWait(simulation, outbox, { nextAt: next.until, backsOff: false }, now);
  else if (outbox.landings.length > 0)
    endOrWait(simulation, outbox, { nextAt: now + Math.max(MIN_LOOK_MS, lingerMs), backsOff: false }, now);
  else {
    outbox.backoffUntil = 0;
    sleep(outbox);
  }
}

function requestPermit(simulation: Simulation, outbox: SimulatedOutbox, now: number): void {
  simulation.total.permitRequests += 1;
  const permit = simulation.gate.request(outbox.name, now);
  if (permit.granted) Object.assign(outbox, { phase: 'starting', at: now + permit.startInMs });
  else if (permit.retryInMs <= SLEEP_RATHER_MS && outbox.landings.length === 0)
    Object.assign(outbox, { phase: 'waiting', at: now + permit.retryInMs, hearsBell: false });
  else endOrWait(simulation, outbox, { nextAt: now + permit.retryInMs, backsOff: true }, now);
}

function start(simulation: Simulation, outbox: SimulatedOutbox, now: number): void {
  const { total, lingerMs, random } = simulation;
  const next = cutBatch(outbox.runs, { lingerMs }, now);
  if (next.step === 'cut') {
    // Each run is from another browser, and all are of one kind. So the batch consists of the first runs, uncut.
    for (const { count, at } of outbox.runs.splice(0, next.cut.members.length)) {
      total.sent += count;
      total.waitedMs += count * (now - at);
    }
    total.calls += 1;
    outbox.landings.push(now + between(random, ANSWER_MS));
  }
  look(simulation, outbox, now);
}

/** When to look again, and whether new records must wait until then too. */
type Later = { readonly nextAt: number; readonly backsOff: boolean };

function endOrWait(simulation: Simulation, outbox: SimulatedOutbox, later: Later, now: number): void {
  if (outbox.landings.length === 0) endPass(simulation, outbox, later, now);
  else Object.assign(outbox, { phase: 'waiting', at: later.nextAt, hearsBell: !later.backsOff });
}

function endPass(
  simulation: Simulation,
  outbox: SimulatedOutbox,
  { nextAt, backsOff }: Later,
  now: number,
): void {
  outbox.backoffUntil = backsOff ? nextAt : 0;
  const soonest = now + SOONEST_ALARM_MS;
  if (outbox.alarmAt < soonest || outbox.alarmAt > nextAt)
    setAlarm(simulation, outbox, Math.max(nextAt, soonest));
  sleep(outbox);
}

function setAlarm({ total }: Simulation, outbox: SimulatedOutbox, at: number): void {
  total.alarmsSet += 1;
  outbox.alarmAt = at;
  if (outbox.phase === 'asleep') outbox.at = at;
}

function sleep(outbox: SimulatedOutbox): void {
  outbox.phase = 'asleep';
  outbox.at = outbox.alarmAt;
}

function between(random: () => number, { from, to }: { readonly from: number; readonly to: number }): number {
  return from + random() * (to - from);
}
