import type { SeenLimit } from '../gate/allowance.ts';
import type { Ask } from '../gate/permits.ts';
import type { DueTimes } from '../limits/fair-queue.ts';
import { pardon } from '../queue/dead-letters.ts';
import { launch, recoverLaunched, type SealedBatch, seal } from '../queue/sealed-batches.ts';
import { flights } from './in-flight.ts';
import { nextWork, type Standing, type Work } from './next-send.ts';
import { type CallPorts, callWith } from './send-batch.ts';

export type RelayPassPorts = CallPorts & {
  readonly lingerMs: number;
  readonly msPerRecord: number;
  readonly dueTimes: DueTimes;
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

// Between the grant and the call, an object that stalls for once.
const MAX_LATE_MS = 1_000;

// Where nothing lingers: how soon to look again while calls are under way.
const MIN_LOOK_MS = 25;

/**
 * Sends what is due to WebEngage, several calls at a time, until nothing is, or its time is over. No two of them hold
 * records of one browser. Whatever it is interrupted at, the next pass goes on from what is in storage.
 */
export async function relayPass(ports: RelayPassPorts): Promise<PassEnd> {
  const {
    storage,
    gate,
    evidence,
    lingerMs,
    msPerRecord,
    dueTimes,
    now,
    sleep,
    random,
    newRequestId,
    fullBatch,
  } = ports;
  const { underWay, begin, failed, next, all } = flights();
  const endAt = now() + PASS_MS;
  let isolationFrom = 0;
  let seen: SeenLimit | undefined;
  let end: PassEnd | undefined;

  const standing = (changes: Partial<Standing> = {}): Standing => ({
    inFlight: underWay,
    isolationFrom,
    unrefusedFirst: false,
    chance: 0,
    lingerMs,
    msPerRecord,
    dueTimes,
    evidence,
    ...changes,
  });
  /** The end of the pass, unless a call that is under way may yet change what there is to do. */
  const endOrWait = async (until: number, held: boolean): Promise<PassEnd | undefined> => {
    if (underWay.size === 0) return { nextAt: until, held };
    await Promise.race([next(), sleep(Math.max(0, until - now())), ...(held ? [] : [fullBatch()])]);
    return undefined;
  };

  recoverLaunched(storage, now());
  try {
    while (end === undefined && !failed() && now() < endAt) {
      if (underWay.size >= MAX_IN_FLIGHT) {
        await next();
        continue;
      }
      const foreseen = nextWork(storage.sql, standing(), now());
      if (foreseen.step === 'rest') {
        if (underWay.size === 0) return { nextAt: undefined, held: false };
        await endOrWait(now() + Math.max(lingerMs, MIN_LOOK_MS), false);
        continue;
      }
      if (foreseen.step === 'wait') {
        end = await endOrWait(foreseen.until, foreseen.held);
        continue;
      }

      const ask: Ask = { isolating: foreseen.step === 'resend' && foreseen.isolates, seen };
      seen = undefined;
      const permit = await gate.take(ask);
      if (!permit.granted) {
        if (permit.wall !== undefined) pardon(storage, permit.wall, newRequestId, now());
        if (permit.isolatingOnly) isolationFrom = now() + permit.retryInMs;
        else if (permit.retryInMs <= SLEEP_RATHER_MS && underWay.size === 0) await sleep(permit.retryInMs);
        else end = await endOrWait(now() + permit.retryInMs, true);
        continue;
      }
      const startAt = now() + permit.startInMs;
      if (permit.startInMs > 0) await sleep(permit.startInMs);
      // Used as late as this it would stand too close to those that were granted since.
      if (now() > startAt + MAX_LATE_MS) continue;

      // Looked at anew: while the permit was on its way, more may have come to fill the batch.
      const work = nextWork(
        storage.sql,
        standing({
          unrefusedFirst: permit.probe,
          chance: random(),
          // Only what was asked for: else a half would leave on everybody's allowance.
          isolationFrom: ask.isolating ? isolationFrom : Number.POSITIVE_INFINITY,
        }),
        now(),
      );
      if (work.step === 'rest' || work.step === 'wait') continue;
      if (work.step === 'cut' && work.isTrial) evidence.triedAt[work.cut.kind] = now();
      if (work.step === 'cut') dueTimes.put(work.dueFrom, now());
      const batch = toLaunch(storage.sql, work, newRequestId, now());
      begin(batch.requestId, async () => {
        seen = (await callWith(ports, batch, permit)) ?? seen;
      });
    }
  } finally {
    await all();
  }
  return end ?? { nextAt: now(), held: false };
}

/** The batch of a call that is about to leave: written down as such. */
function toLaunch(
  sql: SqlStorage,
  work: Extract<Work, { step: 'resend' | 'cut' }>,
  newRequestId: () => string,
  now: number,
): SealedBatch {
  if (work.step === 'cut') return seal(sql, { ...work.cut, launched: true }, newRequestId(), now);
  launch(sql, work.batch);
  return work.batch;
}
