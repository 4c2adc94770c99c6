import type { Permit } from '../gate/permits.ts';
import type { DueTimes } from '../limits/fair-queue.ts';
import type { LaneCredits } from '../limits/lane-credit.ts';
import { recoverLaunched } from '../queue/call-outcome.ts';
import { requeue } from '../queue/dead-letters/dead-letters.ts';
import { countByLane } from '../queue/lanes.ts';
import { launch, type SealedBatch, seal, untriedBatch } from '../queue/sealed-batches.ts';
import { hasWork } from '../queue/segments/waiting-runs.ts';
import { isMixed, release } from './bisect.ts';
import type { CallPorts } from './call-ports.ts';
import { type CallsInFlight, callsInFlight } from './in-flight.ts';
import { nextSend, type SchedulerState, type Work } from './next-send.ts';
import { MAX_AHEAD, type PermitRequests, permitRequests, type Requested } from './permit-requests.ts';
import { sendBatch } from './send-batch.ts';
import { withinBytes } from './trim-cut.ts';

export type RelayPassPorts = CallPorts & {
  readonly lingerMs: number;
  readonly msPerRecord: number;
  readonly dueTimes: DueTimes;
  readonly lanes: LaneCredits;
  /**
   * The most requests that one pass may make, to WebEngage and the gate: the platform's limit for one
   * invocation of a Worker.
   */
  readonly maxSubrequests: number;
  /** How long a pass runs at most. By default, three minutes. */
  readonly passMs?: number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Resolves when the next full batch arrives. */
  readonly fullBatch: () => Promise<void>;
};

/** When the next pass is due, if at all. `backsOff`: new records are no reason to run it sooner. */
export type PassEnd = { readonly nextAt: number | undefined; readonly backsOff: boolean };

// An alarm may run for 15 minutes, with 30 s of CPU time: a call takes 8 ms at most, with a flood or refused
// records. The next pass continues with the rest.
const PASS_MS = 180_000;

// The platform's limit of open connections for one invocation. At 700 ms an answer, six calls use the
// account's whole allowance.
// https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
const MAX_IN_FLIGHT = 6;

// A wait this short costs more as an alarm, which writes a row, than awake.
const SLEEP_RATHER_MS = 600;

// How long after its planned start a permit is still good. A later call would come too close to calls granted
// since. The limit leaves 1.8 s of each minute free, for this delay and the way to WebEngage.
const MAX_LATE_MS = 1_500;

// If batches do not linger, how soon to look for work again while calls are in flight.
const MIN_LOOK_MS = 25;

// Subrequests of a call: itself, and up to two reports of its answer to the gate. Before the call, a step
// asks for its permit and for up to `2 + MAX_AHEAD` more.
const OF_A_CALL = 3;
const OF_A_STEP = OF_A_CALL + 1 + MAX_AHEAD + 2;

type Granted = Extract<Permit, { granted: true }>;
type Refused = Extract<Permit, { granted: false }>;
type Sendable = Extract<Work, { step: 'resend' | 'cut' }>;

/** The state of an outbox's passes between two steps. */
type Pass = {
  readonly ports: RelayPassPorts;
  readonly calls: CallsInFlight;
  readonly permits: PermitRequests;
  subrequestsLeft: number;
  /** Until then, the gate grants no permit for isolating. */
  isolationFrom: number;
  /** Until then, it grants none for imports. */
  importsFrom: number;
};

/**
 * Creates the relay passes of one outbox. A pass sends due batches to WebEngage, several calls at a time. It ends
 * when nothing is due, when its time or its subrequests are used up, or when handling an answer has failed. No two
 * calls in flight hold records of one browser. Wherever a pass is interrupted, the next one continues from storage.
 *
 * Run one pass at a time. A pass whose time is up leaves its calls in flight and its permits to the next one:
 * waiting for their end would cost several calls of the allowance.
 */
export function relayPasses(ports: RelayPassPorts): () => Promise<PassEnd> {
  const { storage, now, maxSubrequests, passMs = PASS_MS } = ports;
  const pass: Pass = {
    ports,
    calls: callsInFlight(),
    permits: permitRequests(ports, () => {
      pass.subrequestsLeft -= 1;
    }),
    subrequestsLeft: maxSubrequests,
    isolationFrom: 0,
    importsFrom: 0,
  };
  return async () => {
    const { calls } = pass;
    const endAt = now() + passMs;
    Object.assign(pass, { subrequestsLeft: maxSubrequests, isolationFrom: 0, importsFrom: 0 });
    let end: PassEnd | undefined;
    let isTimeUp = false;
    recoverLaunched(storage, calls.underWay, now());
    try {
      while (end === undefined && !isTimeUp && !calls.failed() && pass.subrequestsLeft >= OF_A_STEP) {
        end = await step(pass);
        isTimeUp = now() >= endAt;
      }
    } finally {
      if (!isTimeUp || calls.failed()) {
        pass.permits.drop();
        await calls.all();
      }
    }
    return end ?? { nextAt: now(), backsOff: false };
  };
}

/**
 * Sends one batch, or waits until there may be something to do. Returns the end of the pass, if this is it.
 */
async function step(pass: Pass): Promise<PassEnd | undefined> {
  const { calls, ports } = pass;
  if (calls.underWay.size >= MAX_IN_FLIGHT) return void (await calls.next());
  const work = nextSend(ports.storage.sql, schedulerState(pass), ports.now());
  if (work.step === 'rest') {
    if (calls.underWay.size === 0) return { nextAt: undefined, backsOff: false };
    await waitOrEnd(pass, ports.now() + Math.max(ports.lingerMs, MIN_LOOK_MS), false);
    return undefined;
  }
  if (work.step === 'wait') return waitOrEnd(pass, work.until, work.backsOff);
  if (work.step === 'resend' && isMixedPart(ports, work.batch))
    return void release(ports.storage, work.batch, ports.evidence.suspects, undefined, ports.now());
  const requested = await (work.isolates ? pass.permits.isolating() : pass.permits.next(work.lane));
  return requested.permit.granted
    ? use(pass, requested.permit, requested)
    : afterRefusal(pass, requested.permit);
}

/**
 * True for a part of a refused batch that was never sent by itself, and now has suspect and clean records.
 */
function isMixedPart({ storage, evidence }: RelayPassPorts, batch: SealedBatch): boolean {
  const attempts = evidence.sealedWith.get(batch.requestId);
  // A part that was sent may have been accepted, whatever its last answer was.
  if (attempts === undefined || untriedBatch(storage.sql, { ...batch, attempts }) === undefined) return false;
  return isMixed(storage.sql, batch, evidence.suspects);
}

function schedulerState(
  { ports, calls, isolationFrom, importsFrom }: Pass,
  changes: Partial<SchedulerState> = {},
): SchedulerState {
  const { lingerMs, msPerRecord, dueTimes, lanes, evidence } = ports;
  const now = { inFlight: calls.underWay, isolationFrom, importsFrom, probes: false, chance: 0 };
  return { ...now, lingerMs, msPerRecord, dueTimes, lanes, evidence, ...changes };
}

/**
 * Ends the pass if no call is in flight. Otherwise waits for an answer, for `until`, or for a full batch
 * unless it `backsOff`.
 */
async function waitOrEnd(
  { calls, ports }: Pass,
  until: number,
  backsOff: boolean,
): Promise<PassEnd | undefined> {
  if (calls.underWay.size === 0) return { nextAt: until, backsOff };
  const moments = [calls.next(), ports.sleep(Math.max(0, until - ports.now()))];
  await Promise.race(backsOff ? moments : [...moments, ports.fullBatch()]);
  return undefined;
}

async function afterRefusal(pass: Pass, permit: Refused): Promise<PassEnd | undefined> {
  const { ports, calls, permits } = pass;
  const { storage, now, newRequestId, sleep } = ports;
  const { streak, isolatingOnly, importsOnly, retryInMs } = permit;
  if (streak !== undefined) requeue(storage, streak, newRequestId, now());
  if (importsOnly) return afterImportRefusal(pass, retryInMs);
  // Permits already asked for will be too late after this wait.
  if (retryInMs > MAX_LATE_MS) permits.drop();
  if (isolatingOnly) pass.isolationFrom = now() + retryInMs;
  else if (retryInMs <= SLEEP_RATHER_MS && calls.underWay.size === 0) await sleep(retryInMs);
  else return waitOrEnd(pass, now() + retryInMs, true);
  return undefined;
}

/** The other lanes go on. If no call is in flight, a full batch of theirs ends a short wait. */
async function afterImportRefusal(pass: Pass, retryInMs: number): Promise<undefined> {
  const { now, sleep, fullBatch } = pass.ports;
  const { awaitsImports, gateTookMs, requestAhead } = pass.permits;
  if (retryInMs <= gateTookMs()) requestAhead();
  // Another permit is on its way, and is lost if it is not used in time.
  if (awaitsImports()) return;
  // The next request is on its way for as long as this answer was.
  const inMs = Math.max(0, retryInMs - gateTookMs());
  pass.importsFrom = now() + inMs;
  if (inMs <= SLEEP_RATHER_MS && pass.calls.underWay.size === 0)
    await Promise.race([sleep(inMs), fullBatch()]);
}

/** Waits for the permit's start, then starts a call. Drops a permit that is too late or has no work left. */
async function use(pass: Pass, permit: Granted, { isolating, at }: Requested): Promise<undefined> {
  const { ports, calls, permits } = pass;
  const { storage, evidence, dueTimes, lanes, now, sleep, random, newRequestId } = ports;
  if (!isolating) permits.requestAhead();
  if (permit.startInMs > 0) await sleep(permit.startInMs);
  if (calls.underWay.size >= MAX_IN_FLIGHT) await calls.next();
  // Too late: the call would come too close to calls granted since.
  if (now() > at + permit.startInMs + MAX_LATE_MS) return;

  // Looks for work again: while the permit was on its way, more records may have arrived to fill the batch.
  const work = nextSend(
    storage.sql,
    schedulerState(pass, {
      probes: permit.probe,
      chance: random(),
      // A permit that is not for isolating must not send a part: that would spend everybody's allowance.
      isolationFrom: isolating ? pass.isolationFrom : Number.POSITIVE_INFINITY,
      // A granted permit is lost if it is not used.
      importsFrom: 0,
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
  if (fitting.step === 'cut' && !fitting.isolates)
    lanes.cut(fitting.leader, countByLane(fitting.cut.members), (lane) => hasWork(storage.sql, lane));
  pass.subrequestsLeft -= OF_A_CALL;
  calls.begin(batch.requestId, async () => {
    permits.report(await sendBatch(ports, batch, permit));
  });
}

/** Trims a new batch to the permit's size. A sealed batch stays as it is, however large: a 413 halves it. */
function cutToSize(sql: SqlStorage, work: Sendable, { size }: Granted): Sendable {
  return work.step === 'cut' && size !== undefined ? { ...work, ...withinBytes(sql, work, size.max) } : work;
}

/** Writes down, just before the call, that this batch is launched. Seals it first if it is new. */
function toLaunch(sql: SqlStorage, work: Sendable, newRequestId: () => string, now: number): SealedBatch {
  if (work.step === 'cut') {
    const sealed = { ...work.cut, isolating: work.isolates, launched: true };
    return seal(sql, sealed, newRequestId(), now);
  }
  launch(sql, work.batch);
  return work.batch;
}
