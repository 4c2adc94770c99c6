import type { RecordKind } from '../../contract/record.ts';
import { backoffMs } from '../../pacing/backoff.ts';
import type { SeenLimit } from '../gate/allowance.ts';
import type { Answered, Fault, Refusal } from '../gate/answers.ts';
import type { Ask, Permit } from '../gate/permits.ts';
import type { KeyName } from '../gate/state.ts';
import { pardon } from '../queue/dead-letters.ts';
import { postpone, recordsOf, type SealedBatch, settle } from '../queue/sealed-batches.ts';
import type { FailedCall } from '../telemetry/log.ts';
import { isolate } from './bisect.ts';
import type { Evidence } from './evidence.ts';
import { type Verdict, verdictOf } from './verdict.ts';
import type { Upstream, UpstreamAnswer } from './webengage.ts';

/** The account's rate limit and state, as an outbox sees them. */
interface Gate {
  take(ask: Ask): Promise<Permit>;
  pause(forMs: number): Promise<void>;
  taken(key: KeyName, kind: RecordKind): Promise<void>;
  misconfigured(status: number, answered: Answered & { readonly key: KeyName }): Promise<Fault>;
  refused(status: number, answered: Answered): Promise<Refusal>;
}

/** What a call needs of the world, and what becomes of its batch. */
export type CallPorts = {
  readonly storage: DurableObjectStorage;
  readonly gate: Gate;
  readonly upstream: Upstream;
  readonly evidence: Evidence;
  readonly now: () => number;
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number;
  readonly newRequestId: () => string;
  /** For the operator: a call that did not settle its batch. Status 0: no answer. */
  readonly tellFailed: (call: FailedCall) => void;
  /** For the operator: something failed by itself, with no call to blame. */
  readonly tellFault: (fault: unknown) => void;
};

const BACKOFF = { baseMs: 1_000, capMs: 60_000 };

// A firewall's 403 for one batch, while others are taken, may be chance. So often it is the batch.
const PROVEN_TRIES = 8;

// Tried again every 30 s at the soonest: by then the four hours are over in which WebEngage knows a request id, and a new one
// protects as well. Twenty-four others need not wait for ever with one record that breaks it.
const FOUR_HOURS_OF_TRIES = 480;

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
    tryLater(ports, batch, 0, 'unknown');
    return undefined;
  }
}

/** The call leaves only once the seal is on disk: the platform holds it back until then. */
async function call(
  ports: CallPorts,
  batch: SealedBatch,
  { key, suspect, ours }: Extract<Permit, { granted: true }>,
): Promise<SeenLimit | undefined> {
  const { storage, gate, upstream, evidence, now, tellFailed } = ports;
  const startedAt = now();
  const { kind, requestId, attempts } = batch;
  const answer = await upstream({ kind, requestId, records: recordsOf(storage.sql, batch), key });

  const verdict = verdictOf(answer.status, answer.retryAfter, now());
  if (verdict.kind === 'taken') {
    settle(storage, batch, now());
    const isNews = suspect || evidence.isTroubled;
    evidence.takenAt[kind] = now();
    evidence.isTroubled = false;
    if (isNews) await tellGate(ports, () => gate.taken(key, kind));
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
  const { storage, gate, evidence, now, newRequestId } = ports;
  const at = now();
  const { kind, refusedAt: before } = batch;
  const othersAreTaken = evidence.takenAt[kind] > batch.answeredAt;
  const refusal = { status, words, suspicions: 0 };
  switch (verdict.kind) {
    case 'paused':
      postpone(storage, batch, { status, failures: 0, dueAt: at + verdict.forMs }, { paused: 1 }, at);
      return tellGate(ports, () => gate.pause(verdict.forMs));
    case 'misconfigured': {
      evidence.isTroubled = true;
      // One that is suspected holds nothing up again: it waits until others of its kind are taken, or are not.
      const suspicions = batch.suspicions + (othersAreTaken ? 1 : 0);
      if (suspicions > PROVEN_TRIES) {
        const proven = { ...refusal, proven: true, suspicions: 1, counted: 'misconfigured' } as const;
        return isolate(storage, batch, proven, newRequestId, at);
      }
      if (batch.suspicions > 0) return tryLater(ports, batch, status, 'misconfigured', suspicions);
      const fault = await gate.misconfigured(status, { key, kind, before });
      if (fault === 'batch') return tryLater(ports, batch, status, 'misconfigured', 1);
      if (fault === 'kind') return tryLater(ports, batch, status, 'misconfigured');
      // Due at once: the gate says when, and with which key.
      return postpone(
        storage,
        batch,
        { status, failures: 0, dueAt: at, refused: true },
        { misconfigured: 1 },
        at,
      );
    }
    case 'unknown': {
      const suspicions = batch.suspicions + (othersAreTaken ? 1 : 0);
      if (suspicions < FOUR_HOURS_OF_TRIES) return tryLater(ports, batch, status, 'unknown', suspicions);
      const proven = {
        ...refusal,
        proven: true,
        suspicions: FOUR_HOURS_OF_TRIES - PROVEN_TRIES,
        counted: 'unknown',
      } as const;
      return isolate(storage, batch, proven, newRequestId, at);
    }
    case 'refused': {
      evidence.isTroubled = true;
      const { proven, wall } = await gate.refused(status, { kind, before });
      if (wall === undefined)
        return isolate(storage, batch, { ...refusal, proven, counted: 'refused' }, newRequestId, now());
      pardon(storage, wall, newRequestId, now());
      return postpone(
        storage,
        batch,
        { status, failures: 0, dueAt: now(), refused: true },
        { refused: 1 },
        now(),
      );
    }
  }
}

/** Sends a batch again as it is, after a while that grows with each failure. */
function tryLater(
  { storage, now, random }: CallPorts,
  batch: SealedBatch,
  status: number,
  counted: 'unknown' | 'misconfigured',
  suspicions: number = batch.suspicions,
): void {
  const failures = batch.failures + 1;
  const dueAt = now() + backoffMs(failures, BACKOFF, random());
  const refused = counted === 'misconfigured';
  postpone(storage, batch, { status, failures, dueAt, suspicions, refused }, { [counted]: 1 }, now());
}

/** Tells the gate what has been dealt with here. If it can't be told, the next call tells it. */
async function tellGate({ tellFault }: CallPorts, tell: () => Promise<void>): Promise<void> {
  try {
    await tell();
  } catch (fault) {
    tellFault(fault);
  }
}
