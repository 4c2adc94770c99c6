import { backoffMs } from '../../pacing/backoff.ts';
import type { SeenLimit } from '../gate/allowance.ts';
import type { Permit } from '../gate/permits.ts';
import type { KeyName } from '../gate/state.ts';
import { type Postponement, postpone, settle } from '../queue/call-outcome.ts';
import { type RefusedWith, requeue } from '../queue/dead-letters/dead-letters.ts';
import type { StoredRecord } from '../queue/run.ts';
import {
  countRecords,
  recordsOf,
  type SealedBatch,
  storedBatch,
  untriedBatch,
} from '../queue/sealed-batches.ts';
import { bisect, split } from './bisect.ts';
import type { CallPorts, Gate } from './call-ports.ts';
import { type Verdict, verdictOf } from './verdict.ts';
import type { UpstreamAnswer } from './webengage.ts';

type Granted = Extract<Permit, { granted: true }>;

export const BACKOFF = { baseMs: 1_000, capMs: 60_000 };

// A firewall may answer 403 to one batch by chance, while it lets others pass. After this many times, the
// batch is at fault.
const PROVEN_TRIES = 8;

// Once the backoff is at its cap, tries are at least 30 s apart: 490, the shorter ones before the cap
// included, take more than four hours. After four hours WebEngage no longer remembers the request id, so a
// new id protects as well. Without this bound, one record that breaks WebEngage would hold back the 24 others
// in its batch forever.
export const FOUR_HOURS_OF_TRIES = 490;

// A call with a single record below this size can't be too large, whatever the status says: it is refused.
const NEVER_TOO_LARGE_BYTES = 4_096;

/** The word for success that WebEngage documents. */
const FAMILIAR = 'queued';

/**
 * Makes one call with a sealed batch and handles its answer. Resolves to what the answer said about the rate
 * limit. Rejects only if storage fails. Any other fault delays this batch and its browsers, and nobody else.
 */
export async function sendBatch(
  ports: CallPorts,
  batch: SealedBatch,
  permit: Granted,
): Promise<SeenLimit | undefined> {
  try {
    return await call(ports, batch, permit);
  } catch (fault) {
    ports.logFault(fault);
    carryOut(ports, batch, sendLater(ports, batch, { status: 0 }, 'unknown'));
    return undefined;
  }
}

/** The platform holds the call back until the seal is on disk. */
async function call(ports: CallPorts, batch: SealedBatch, permit: Granted): Promise<SeenLimit | undefined> {
  const { storage, upstream, now, logFailedCall } = ports;
  const startedAt = now();
  const { kind, requestId, attempts } = batch;
  const records = recordsOf(storage.sql, batch);
  const answer = await upstream({ kind, requestId, records, key: permit.key });

  const verdict = verdictOf(answer, now());
  if (verdict.kind === 'taken') await settleTaken(ports, batch, records, answer, permit);
  else {
    const { status, says } = answer;
    logFailedCall({ status, kind, attempts: attempts + 1, ...(status === 200 && says && { says }) });
    carryOut(ports, batch, await decide(ports, batch, answer, verdict, permit.key), records);
    if (verdict.kind === 'paused') await reportToGate(ports, (gate) => gate.pause(verdict.forMs));
  }
  return answer.rateLimit && { ...answer.rateLimit, at: startedAt, ours: permit.ours };
}

async function settleTaken(
  ports: CallPorts,
  batch: SealedBatch,
  records: readonly StoredRecord[],
  { says = '', bytes }: UpstreamAnswer,
  { suspect, key, size }: Granted,
): Promise<void> {
  const { storage, evidence, now, newRequestId, logUnfamiliar, observeDelivered } = ports;
  const { kind, requestId } = batch;
  const isFamiliar = says === FAMILIAR;
  const waits = settle(storage, batch, isFamiliar ? {} : { unfamiliar: 1 }, now());
  observeDelivered?.(waits);
  if (!isFamiliar) logUnfamiliar(says);
  const isNews = suspect || evidence.isTroubled;
  evidence.takenAt[kind] = now();
  evidence.isTroubled = false;
  evidence.suspects.taken(kind, records);
  // The fault is in the other half, so it is bisected without being sent whole.
  const half = evidence.secondHalves.get(requestId);
  const second = half && untriedBatch(storage.sql, half);
  if (second !== undefined && countRecords(second.members) > 1) {
    const { status, suspicions } = second;
    const known = { status, words: '', proven: true, counted: undefined, suspicions };
    bisect(storage, second, known, evidence, newRequestId, now());
  }
  if (isNews) await reportToGate(ports, (gate) => gate.taken(key, kind));
  if (size !== undefined && bytes > size.newsFrom)
    await reportToGate(ports, (gate) => gate.sized(bytes, true));
}

/** How to go on with a batch that was not accepted. */
type Fate =
  | {
      readonly do: 'send later';
      readonly how: Postponement;
      readonly counted: RefusedWith['counted'] | 'paused';
    }
  /** Search for the record at fault. In a batch of one record, it is that one. */
  | { readonly do: 'bisect'; readonly refusal: RefusedWith }
  | { readonly do: 'split' };

/**
 * Decides how to go on with a batch that was not accepted, and leaves the batch itself unchanged. Marks
 * `evidence` as troubled, reports to the gate, and requeues dead letters if the configuration is at fault.
 */
async function decide(
  ports: CallPorts,
  batch: SealedBatch,
  { status, words, bytes }: UpstreamAnswer,
  verdict: Exclude<Verdict, { kind: 'taken' }>,
  key: KeyName,
): Promise<Fate> {
  const { storage, gate, evidence, now, newRequestId } = ports;
  const { kind, refusedAt: before } = batch;
  // Others of its kind were accepted since its last answer. That is evidence against the batch, not
  // WebEngage.
  const suspicions = batch.suspicions + (evidence.takenAt[kind] > batch.answeredAt ? 1 : 0);
  const bisectFor = (counted: RefusedWith['counted'], rest: Partial<RefusedWith> = {}): Fate => ({
    do: 'bisect',
    refusal: { status, words, suspicions: 0, proven: true, counted, ...rest },
  });
  const atOnce = (counted: RefusedWith['counted'] | 'paused', inMs = 0): Fate => ({
    do: 'send later',
    how: { status, failures: 0, dueAt: now() + inMs, refused: counted !== 'paused' },
    counted,
  });
  const isSingle = countRecords(batch.members) === 1;
  const isNotSize = isSingle && bytes < NEVER_TOO_LARGE_BYTES;
  switch (verdict.kind === 'too_large' && isNotSize ? 'refused' : verdict.kind) {
    case 'too_large':
      await reportToGate(ports, () => gate.sized(bytes, false));
      return isSingle ? bisectFor('too_large') : { do: 'split' };
    case 'paused':
      return atOnce('paused', verdict.kind === 'paused' ? verdict.forMs : 0);
    case 'unknown':
      return suspicions < FOUR_HOURS_OF_TRIES
        ? sendLater(ports, batch, { status, suspicions }, 'unknown')
        : bisectFor('unknown', { suspicions: FOUR_HOURS_OF_TRIES - PROVEN_TRIES });
    case 'misconfigured': {
      evidence.isTroubled = true;
      // A suspected batch must not stop the account again. It is retried without a report to the gate. Other
      // calls of its kind show whether the account is at fault.
      if (suspicions > PROVEN_TRIES) return bisectFor('misconfigured', { suspicions: 1 });
      if (batch.suspicions > 0) return sendLater(ports, batch, { status, suspicions }, 'misconfigured');
      const fault = await gate.misconfigured(status, { key, kind, before });
      // Due at once: the gate decides when, and with which key.
      if (fault === 'account') return atOnce('misconfigured');
      return sendLater(ports, batch, { status, suspicions: fault === 'batch' ? 1 : 0 }, 'misconfigured');
    }
    case 'refused': {
      evidence.isTroubled = true;
      const { proven, streak } = await gate.refused(status, { kind, before });
      if (streak === undefined) return bisectFor('refused', { proven });
      requeue(storage, streak, newRequestId, now());
      return atOnce('refused');
    }
  }
}

/** Retry the batch unchanged, after a backoff that grows with each failure. */
function sendLater(
  { now, random }: CallPorts,
  batch: SealedBatch,
  { status, suspicions = batch.suspicions }: { readonly status: number; readonly suspicions?: number },
  counted: 'unknown' | 'misconfigured',
): Fate {
  const failures = batch.failures + 1;
  const dueAt = now() + backoffMs(failures, BACKOFF, random());
  const refused = counted === 'misconfigured';
  return { do: 'send later', how: { status, failures, dueAt, suspicions, refused }, counted };
}

function carryOut(
  { storage, evidence, now, newRequestId }: CallPorts,
  batch: SealedBatch,
  fate: Fate,
  records: readonly StoredRecord[] = [],
): void {
  // Erasing may have moved its slices while the call was in flight.
  const stored = storedBatch(storage.sql, batch);
  if (stored === undefined) return;
  if (fate.do === 'send later')
    postpone(storage, batch, fate.how, fate.counted ? { [fate.counted]: 1 } : {}, now());
  else if (fate.do === 'split') split(storage, stored, newRequestId, now());
  else {
    const [only, ...others] = records;
    const isRefused = fate.refusal.counted === 'refused';
    if (isRefused && only !== undefined && others.length === 0) evidence.suspects.refused(batch.kind, only);
    bisect(storage, stored, fate.refusal, evidence, newRequestId, now());
  }
}

/** Reports to the gate what is already handled here. If the report fails, a later call makes it. */
async function reportToGate(
  { gate, logFault }: CallPorts,
  report: (gate: Gate) => Promise<void>,
): Promise<void> {
  try {
    await report(gate);
  } catch (fault) {
    logFault(fault);
  }
}
