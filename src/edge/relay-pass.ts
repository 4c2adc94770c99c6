import { backoffMs } from '../pacing/backoff.ts';
import { pardon } from './dead-letters.ts';
import { flights } from './flights.ts';
import type { Ask, KeyName, Permit, SeenLimit } from './gate.ts';
import { isolate } from './isolate.ts';
import { nextWork, type Standing, type Work } from './next-work.ts';
import type { RecordKind } from './run.ts';
import { launch, postpone, recordsOf, recoverLaunched, type SealedBatch, seal, settle } from './sealed.ts';
import { type Verdict, verdictOf } from './verdict.ts';
import type { Upstream, UpstreamAnswer } from './webengage.ts';

/** The account's rate limit and state, as an outbox sees them. */
interface Gate {
  take(ask: Ask): Promise<Permit>;
  pause(forMs: number): Promise<void>;
  taken(key: KeyName): Promise<void>;
  misconfigured(status: number, key: KeyName): Promise<void>;
  /** Answers since when every call was refused, where that is no fault of the records. */
  refused(status: number): Promise<number | undefined>;
}

export type RelayPassPorts = {
  readonly storage: DurableObjectStorage;
  readonly gate: Gate;
  readonly upstream: Upstream;
  readonly lingerMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
  readonly newRequestId: () => string;
  /** Resolves when a full batch has come in since. */
  readonly fullBatch: () => Promise<void>;
  /** For the operator: a call that did not settle its batch. Status 0: no answer. */
  readonly tellFailed: (call: FailedCall) => void;
  /** For the operator: something failed by itself, with no call to blame. */
  readonly tellFault: (fault: unknown) => void;
};

export type FailedCall = {
  readonly status: number;
  readonly kind: RecordKind;
  readonly attempts: number;
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

// Where nothing lingers: how soon to look again while calls are under way.
const MIN_LOOK_MS = 25;

const BACKOFF = { baseMs: 1_000, capMs: 60_000 };

/**
 * Sends what is due to WebEngage, several calls at a time, until nothing is, or its time is over. No two of them hold
 * records of one browser. Whatever it is interrupted at, the next pass goes on from what is in storage.
 */
export async function relayPass(ports: RelayPassPorts): Promise<PassEnd> {
  const { storage, gate, lingerMs, now, sleep, newRequestId, fullBatch } = ports;
  const { underWay, begin, failed, next, all } = flights();
  const endAt = now() + PASS_MS;
  let isolationFrom = 0;
  let seen: SeenLimit | undefined;
  let end: PassEnd | undefined;

  const standing = (unrefusedFirst = false): Standing => ({
    inFlight: underWay,
    isolationFrom,
    unrefusedFirst,
    lingerMs,
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
        if (permit.wallSince !== undefined) pardon(storage, permit.wallSince, newRequestId, now());
        if (permit.isolatingOnly) isolationFrom = now() + permit.retryInMs;
        else if (permit.retryInMs <= SLEEP_RATHER_MS && underWay.size === 0) await sleep(permit.retryInMs);
        else end = await endOrWait(now() + permit.retryInMs, true);
        continue;
      }
      if (permit.startInMs > 0) await sleep(permit.startInMs);

      // Looked at anew: while the permit was on its way, more may have come to fill the batch.
      const work = nextWork(storage.sql, standing(permit.probe), now());
      if (work.step === 'rest' || work.step === 'wait') continue;
      const batch = toLaunch(storage.sql, work, newRequestId, now());
      begin(batch.id, async () => {
        try {
          seen = (await call(ports, batch, permit)) ?? seen;
        } catch (fault) {
          // It holds back its own browsers and nobody else, as a call that failed.
          ports.tellFault(fault);
          tryLater(ports, batch, 0);
        }
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

/** One call with a sealed batch. It leaves only once the seal is on disk: the platform holds it back until then. */
async function call(
  ports: RelayPassPorts,
  batch: SealedBatch,
  { key, suspect, ours }: Extract<Permit, { granted: true }>,
): Promise<SeenLimit | undefined> {
  const { storage, gate, upstream, now, tellFailed } = ports;
  const startedAt = now();
  const { kind, requestId, attempts } = batch;
  const answer = await upstream({ kind, requestId, records: recordsOf(storage.sql, batch), key });

  const verdict = verdictOf(answer.status, answer.retryAfter, now());
  if (verdict.kind === 'taken') {
    settle(storage, batch, now());
    if (suspect) await gate.taken(key);
  } else {
    tellFailed({ status: answer.status, kind, attempts: attempts + 1 });
    await goOn(ports, batch, answer, verdict, key);
  }
  return answer.rateLimit && { ...answer.rateLimit, at: startedAt, ours };
}

/** What to do with a batch that was not taken. */
async function goOn(
  ports: RelayPassPorts,
  batch: SealedBatch,
  { status, words }: UpstreamAnswer,
  verdict: Exclude<Verdict, { kind: 'taken' }>,
  key: KeyName,
): Promise<void> {
  const { storage, gate, now, newRequestId } = ports;
  const at = now();
  switch (verdict.kind) {
    case 'paused':
      postpone(storage, batch, { status, failures: 0, dueAt: at + verdict.forMs }, { paused: 1 }, at);
      return gate.pause(verdict.forMs);
    case 'misconfigured':
      // Due at once: the gate says when, and with which key.
      postpone(storage, batch, { status, failures: 0, dueAt: at }, { misconfigured: 1 }, at);
      return gate.misconfigured(status, key);
    case 'unknown':
      return tryLater(ports, batch, status);
    case 'refused': {
      const wallSince = await gate.refused(status);
      if (wallSince === undefined) return isolate(storage, batch, { status, words }, newRequestId, now());
      pardon(storage, wallSince, newRequestId, now());
      return postpone(storage, batch, { status, failures: 0, dueAt: now() }, { refused: 1 }, now());
    }
  }
}

/** Sends a batch again as it is, after a while that grows with each failure. */
function tryLater({ storage, now, random }: RelayPassPorts, batch: SealedBatch, status: number): void {
  const failures = batch.failures + 1;
  const dueAt = now() + backoffMs(failures, BACKOFF, random());
  postpone(storage, batch, { status, failures, dueAt }, { unknown: 1 }, now());
}
