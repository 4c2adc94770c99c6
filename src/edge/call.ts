import { backoffMs } from '../pacing/backoff.ts';
import { pardon } from './dead-letters.ts';
import type { Ask, KeyName, Permit, Refusal, SeenLimit } from './gate.ts';
import { isolate } from './isolate.ts';
import type { RecordKind } from './run.ts';
import { postpone, recordsOf, type SealedBatch, settle } from './sealed.ts';
import { type Verdict, verdictOf } from './verdict.ts';
import type { Upstream, UpstreamAnswer } from './webengage.ts';

/** The account's rate limit and state, as an outbox sees them. */
interface Gate {
  take(ask: Ask): Promise<Permit>;
  pause(forMs: number): Promise<void>;
  taken(key: KeyName): Promise<void>;
  misconfigured(status: number, key: KeyName): Promise<void>;
  /** `before`: when the same batch was refused before, if it was. */
  refused(status: number, before: number | undefined): Promise<Refusal>;
}

/** What a call needs of the world, and what becomes of its batch. */
export type CallPorts = {
  readonly storage: DurableObjectStorage;
  readonly gate: Gate;
  readonly upstream: Upstream;
  readonly now: () => number;
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number;
  readonly newRequestId: () => string;
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

const BACKOFF = { baseMs: 1_000, capMs: 60_000 };

/**
 * Makes one call with a sealed batch, and deals with what it is answered. Answers what was told of the limit.
 * Rejects only where the storage fails: whatever else goes wrong holds back the browsers in the batch, and nobody else.
 */
export async function callWith(
  ports: CallPorts,
  batch: SealedBatch,
  permit: Extract<Permit, { granted: true }>,
): Promise<SeenLimit | undefined> {
  try {
    return await call(ports, batch, permit);
  } catch (fault) {
    ports.tellFault(fault);
    tryLater(ports, batch, 0);
    return undefined;
  }
}

/** The call leaves only once the seal is on disk: the platform holds it back until then. */
async function call(
  ports: CallPorts,
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
  ports: CallPorts,
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
      const { proven, wallSince } = await gate.refused(status, batch.refusedAt);
      if (wallSince === undefined)
        return isolate(storage, batch, { status, words, proven }, newRequestId, now());
      pardon(storage, wallSince, newRequestId, now());
      return postpone(
        storage,
        batch,
        { status, failures: 0, dueAt: now(), refusedAt: at },
        { refused: 1 },
        now(),
      );
    }
  }
}

/** Sends a batch again as it is, after a while that grows with each failure. */
function tryLater({ storage, now, random }: CallPorts, batch: SealedBatch, status: number): void {
  const failures = batch.failures + 1;
  const dueAt = now() + backoffMs(failures, BACKOFF, random());
  postpone(storage, batch, { status, failures, dueAt }, { unknown: 1 }, now());
}
