import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { SeenLimit } from '../gate/allowance.ts';
import type { Permit } from '../gate/permits.ts';
import type { DueTimes } from '../limits/fair-queue.ts';
import { readTotals, waiting } from '../queue/counters.ts';
import { requeue } from '../queue/dead-letters.ts';
import { launch, recoverLaunched, type SealedBatch, seal, untriedBatch } from '../queue/sealed-batches.ts';
import { isMixed, release } from './bisect.ts';
import { type CallsInFlight, callsInFlight } from './in-flight.ts';
import { nextSend, type Standing, type Work } from './next-send.ts';
import { type CallPorts, sendBatch } from './send-batch.ts';
import { withinBytes } from './trim-cut.ts';

export type RelayPassPorts = CallPorts & {
  readonly lingerMs: number;
  readonly msPerRecord: number;
  readonly dueTimes: DueTimes;
  /** The most requests that one pass may make, to WebEngage and to the gate: the platform's limit for one run of a Worker. */
  readonly maxSubrequests: number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Resolves when a full batch has come in since. */
  readonly fullBatch: () => Promise<void>;
};

/** When to run a pass again. `held`: new records are no reason to do so any sooner. */
export type PassEnd = { readonly nextAt: number | undefined; readonly held: boolean };

// An alarm may run for 15 minutes, with 30 s of CPU time. What is left goes on in the next pass.
const PASS_MS = 60_000;

// As many as the platform lets one run of a Worker wait for. At 700 ms an answer they use the account's whole allowance.
// https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
const MAX_IN_FLIGHT = 6;

// A wait so short is dearer as an alarm, which is a row written, than awake.
const SLEEP_RATHER_MS = 600;

// Between the asking for a permit and the call. What is later stands too close to those that were granted since: of the account's
// minute 1.8 s are left free for that, and for the way to WebEngage.
const MAX_LATE_MS = 1_500;

// Where nothing lingers: how soon to look again while calls are under way.
const MIN_LOOK_MS = 25;

// With so many waiting there is work for the permits after this one.
const AHEAD_FROM_RECORDS = 150;

// At the whole allowance there is one every 125 ms. A gate that takes longer is asked for several at a time; but what is due further
// ahead than it lends it refuses. One that is near is asked in time as it is.
const PERMIT_TAKES_MS = 150;
const NEAR_MS = 20;
const MAX_AHEAD = 3;

// The call itself, and what the gate may be told of its answer. Before it, its permit is asked for, and perhaps the next one.
const OF_A_CALL = 3;
const OF_A_STEP = OF_A_CALL + 1 + MAX_AHEAD + 1;

type Granted = Extract<Permit, { granted: true }>;
type Refused = Extract<Permit, { granted: false }>;
type Sendable = Extract<Work, { step: 'resend' | 'cut' }>;

/** A permit that was asked for, and when. */
type Asked = { readonly isolating: boolean; readonly at: number; readonly permit: Permit };

/** The state of a pass between two steps. */
type Pass = {
  readonly ports: RelayPassPorts;
  readonly calls: CallsInFlight;
  readonly endAt: number;
  subrequestsLeft: number;
  /** Until then the gate grants nothing to isolate with. */
  isolationFrom: number;
  /** What the last answer said of the limit, until the gate is told. */
  seen: SeenLimit | undefined;
  /** The next permits, asked for while those before them are slept out: a gate far away would cost the allowance else. */
  readonly ahead: Promise<Asked>[];
  /** How long the gate took to answer last. */
  gateTookMs: number;
};

/**
 * Sends what is due to WebEngage, several calls at a time, until nothing is, or its time is over. No two of them hold
 * records of one browser. Whatever it is interrupted at, the next pass goes on from what is in storage.
 */
export async function relayPass(ports: RelayPassPorts): Promise<PassEnd> {
  const { storage, now, maxSubrequests } = ports;
  const calls = callsInFlight();
  const endAt = now() + PASS_MS;
  const pass: Pass = {
    ports,
    calls,
    endAt,
    subrequestsLeft: maxSubrequests,
    isolationFrom: 0,
    seen: undefined,
    ahead: [],
    gateTookMs: 0,
  };
  let end: PassEnd | undefined;
  recoverLaunched(storage, now());
  try {
    while (end === undefined && !calls.failed() && now() < endAt && pass.subrequestsLeft >= OF_A_STEP)
      end = await step(pass);
  } finally {
    await calls.all();
  }
  return end ?? { nextAt: now(), held: false };
}

/** Sends one batch, or waits for what there is to wait for. Answers where the pass is to end. */
async function step(pass: Pass): Promise<PassEnd | undefined> {
  const { calls, ports } = pass;
  if (calls.underWay.size >= MAX_IN_FLIGHT) return void (await calls.next());
  const work = nextSend(ports.storage.sql, standing(pass), ports.now());
  if (work.step === 'rest') {
    if (calls.underWay.size === 0) return { nextAt: undefined, held: false };
    await waitOrEnd(pass, ports.now() + Math.max(ports.lingerMs, MIN_LOOK_MS), false);
    return undefined;
  }
  if (work.step === 'wait') return waitOrEnd(pass, work.until, work.held);
  if (work.step === 'resend' && isMixedPart(ports, work.batch))
    return void release(ports.storage, work.batch, ports.evidence.suspects, undefined, ports.now());
  const asked = await (work.isolates ? ask(pass, true) : askedAhead(pass));
  return asked.permit.granted ? use(pass, asked.permit, asked) : afterRefusal(pass, asked.permit);
}

/** A part of a refused batch that was never sent by itself, and of which more is known by now. */
function isMixedPart({ storage, evidence }: RelayPassPorts, batch: SealedBatch): boolean {
  const attempts = evidence.sealedWith.get(batch.requestId);
  // One that was sent may have been taken, whatever it was answered last.
  if (attempts === undefined || untriedBatch(storage.sql, { ...batch, attempts }) === undefined) return false;
  return isMixed(storage.sql, batch, evidence.suspects);
}

function standing({ ports, calls, isolationFrom }: Pass, changes: Partial<Standing> = {}): Standing {
  const { lingerMs, msPerRecord, dueTimes, evidence } = ports;
  const now = { inFlight: calls.underWay, isolationFrom, probes: false, chance: 0 };
  return { ...now, lingerMs, msPerRecord, dueTimes, evidence, ...changes };
}

/** The end of the pass, unless a call that is under way may yet change what there is to do. */
async function waitOrEnd({ calls, ports }: Pass, until: number, held: boolean): Promise<PassEnd | undefined> {
  if (calls.underWay.size === 0) return { nextAt: until, held };
  const moments = [calls.next(), ports.sleep(Math.max(0, until - ports.now()))];
  await Promise.race(held ? moments : [...moments, ports.fullBatch()]);
  return undefined;
}

async function ask(pass: Pass, isolating: boolean): Promise<Asked> {
  const { gate, now } = pass.ports;
  const at = now();
  const { seen } = pass;
  pass.seen = undefined;
  pass.subrequestsLeft -= 1;
  const permit = await gate.take({ isolating, seen });
  pass.gateTookMs = now() - at;
  return { isolating, at, permit };
}

/** The permit that was asked for already, or one that is asked for now. */
function askedAhead(pass: Pass): Promise<Asked> {
  return pass.ahead.shift() ?? ask(pass, false);
}

/** Asks for more permits, as many as are under way at once for none to be missed, where there is work for them. */
function askFurther(pass: Pass): void {
  const { ahead, gateTookMs, ports } = pass;
  if (gateTookMs < NEAR_MS) return;
  const depth = 1 + Math.min(MAX_AHEAD, Math.floor(gateTookMs / PERMIT_TAKES_MS));
  const { parked } = ports.evidence.suspects;
  const clean = waiting(readTotals(ports.storage.sql)) - MAX_BATCH_RECORDS * parked.size;
  if (clean < AHEAD_FROM_RECORDS) return;
  while (ahead.length < depth) {
    const asked = ask(pass, false);
    // It is awaited when its turn comes, if there is one.
    asked.catch(() => {});
    ahead.push(asked);
  }
}

async function afterRefusal(pass: Pass, permit: Refused): Promise<PassEnd | undefined> {
  const { ports, calls } = pass;
  const { storage, now, newRequestId, sleep } = ports;
  const { wall, isolatingOnly, retryInMs } = permit;
  if (wall !== undefined) requeue(storage, wall, newRequestId, now());
  // Those that were asked for before it are late by then.
  if (retryInMs > MAX_LATE_MS) pass.ahead.length = 0;
  if (isolatingOnly) pass.isolationFrom = now() + retryInMs;
  else if (retryInMs <= SLEEP_RATHER_MS && calls.underWay.size === 0) await sleep(retryInMs);
  else return waitOrEnd(pass, now() + retryInMs, true);
  return undefined;
}

/** Starts a call when its permit says so. */
async function use(pass: Pass, permit: Granted, { isolating, at }: Asked): Promise<undefined> {
  const { ports, calls } = pass;
  const { storage, evidence, dueTimes, now, sleep, random, newRequestId } = ports;
  if (!isolating) askFurther(pass);
  if (permit.startInMs > 0) await sleep(permit.startInMs);
  if (calls.underWay.size >= MAX_IN_FLIGHT) await calls.next();
  // Used as late as this it would stand too close to those that were granted since.
  if (now() > at + permit.startInMs + MAX_LATE_MS) return;

  // Looked at anew: while the permit was on its way, more may have come to fill the batch.
  const work = nextSend(
    storage.sql,
    standing(pass, {
      probes: permit.probe,
      chance: random(),
      // Only what was asked for: else a half would leave on everybody's allowance.
      isolationFrom: isolating ? pass.isolationFrom : Number.POSITIVE_INFINITY,
    }),
    now(),
  );
  if (work.step === 'rest' || work.step === 'wait') return;
  if (work.step === 'cut' && work.isTrial) evidence.triedAt[work.cut.kind] = now();
  const fitting = cutToSize(storage.sql, work, permit);
  if (fitting.step === 'cut') {
    dueTimes.put(fitting.dueFrom, now());
    if (fitting.isolates) for (const { device } of fitting.cut.members) evidence.suspects.unpark(device);
  }
  if (fitting.isolates) evidence.isolated = fitting.step === 'cut' ? 'parked' : 'part';
  const batch = toLaunch(storage.sql, fitting, newRequestId, now());
  pass.subrequestsLeft -= OF_A_CALL;
  calls.begin(batch.requestId, async () => {
    pass.seen = (await sendBatch(ports, batch, permit)) ?? pass.seen;
  });
}

/** A sealed batch stays as it is, however large; it is halved once it was refused. */
function cutToSize(sql: SqlStorage, work: Sendable, { size }: Granted): Sendable {
  return work.step === 'cut' && size !== undefined ? { ...work, ...withinBytes(sql, work, size.max) } : work;
}

/** The batch of a call that is about to leave: written down as such. */
function toLaunch(sql: SqlStorage, work: Sendable, newRequestId: () => string, now: number): SealedBatch {
  if (work.step === 'cut') {
    const sealed = { ...work.cut, isolating: work.isolates, launched: true };
    return seal(sql, sealed, newRequestId(), now);
  }
  launch(sql, work.batch);
  return work.batch;
}
