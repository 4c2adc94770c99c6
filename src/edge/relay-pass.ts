import { backoffMs } from '../pacing/backoff.ts';
import { type Cut, cutBatch } from './cut.ts';
import type { Permit } from './rate-gate.ts';
import type { RecordKind } from './run.ts';
import { oldestRuns, postpone, recordsOf, type SealedBatch, seal, sealedBatches, settle } from './sealed.ts';
import type { Upstream } from './webengage.ts';

/** The account's rate limit, as an outbox sees it. */
interface Gate {
  take(): Promise<Permit>;
  pause(forMs: number): Promise<void>;
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
  /** For the operator: a call that did not settle its batch. Status 0: no answer. */
  readonly tellFailed: (call: FailedCall) => void;
};

export type FailedCall = {
  readonly status: number;
  readonly kind: RecordKind;
  readonly attempts: number;
  readonly retryInMs: number;
};

// An alarm may run for 15 minutes; one that ends sooner leaves room for a new deploy. What is left goes on in the next.
const PASS_MS = 20_000;

// Batches that WebEngage could not take. While it is down no more are cut: what comes in the meantime still merges.
const MAX_FAILING = 6;

// Batches that it would not take. They hold back the browsers in them and nobody else, up to a number that is not one
// browser's bad data any more but a fault of everybody's.
const MAX_REFUSED = 100;

const REFUSED: ReadonlySet<number> = new Set([400, 413, 422]);

const BACKOFF = { baseMs: 1_000, capMs: 60_000 };

// What was refused once is most likely refused again: asking rarely leaves the allowance to everybody else.
const REFUSED_BACKOFF = { baseMs: 10_000, capMs: 10 * 60_000 };

type Work =
  | { readonly step: 'resend'; readonly batch: SealedBatch }
  | { readonly step: 'cut'; readonly cut: Cut }
  | { readonly step: 'wait'; readonly until: number; readonly held: boolean }
  | { readonly step: 'rest' };

/** What to do next: a sealed batch that is due, before any new one. */
function nextWork(sql: SqlStorage, lingerMs: number, now: number): Work {
  const sealed = sealedBatches(sql);
  const due = sealed.find(({ dueAt }) => dueAt <= now);
  if (due !== undefined) return { step: 'resend', batch: due };

  const refused = sealed.filter(({ status }) => REFUSED.has(status)).length;
  const mayCut = refused < MAX_REFUSED && sealed.length - refused < MAX_FAILING;
  const next = mayCut ? cutBatch(oldestRuns(sql, sealed), lingerMs, now) : undefined;
  if (next?.step === 'cut') return next;

  const moments = [...sealed.map(({ dueAt }) => dueAt), ...(next?.step === 'wait' ? [next.until] : [])];
  return moments.length > 0 ? { step: 'wait', until: Math.min(...moments), held: !mayCut } : { step: 'rest' };
}

/** When to run a pass again. `held`: new records are no reason to do so any sooner. */
export type PassEnd = { readonly nextAt: number | undefined; readonly held: boolean };

/**
 * Sends what is due to WebEngage, batch by batch, until nothing is, or its time is over.
 * Whatever it is interrupted at, the next pass goes on from what is in storage.
 */
export async function relayPass(ports: RelayPassPorts): Promise<PassEnd> {
  const { storage, gate, lingerMs, now, sleep, newRequestId } = ports;
  const endAt = now() + PASS_MS;

  while (now() < endAt) {
    const foreseen = nextWork(storage.sql, lingerMs, now());
    if (foreseen.step === 'rest') return { nextAt: undefined, held: false };
    if (foreseen.step === 'wait') return { nextAt: foreseen.until, held: foreseen.held };

    const permit = await gate.take();
    if (!permit.granted) return { nextAt: now() + permit.retryInMs, held: true };
    if (permit.startInMs > 0) await sleep(permit.startInMs);

    // Looked at anew: while the permit was on its way, more may have come to fill the batch.
    const work = nextWork(storage.sql, lingerMs, now());
    if (work.step === 'resend') await call(ports, work.batch);
    if (work.step === 'cut') await call(ports, seal(storage.sql, work.cut, newRequestId(), now()));
  }
  return { nextAt: now(), held: false };
}

/** One call with a sealed batch. It leaves only once the seal is on disk: the platform holds it back until then. */
async function call(ports: RelayPassPorts, batch: SealedBatch): Promise<void> {
  const { storage, gate, upstream, now, random, tellFailed } = ports;
  const { kind, requestId } = batch;
  const outcome = await upstream({ kind, requestId, records: recordsOf(storage.sql, batch) });

  if (outcome.kind === 'delivered') return settle(storage, batch);
  const status = outcome.kind === 'paused' ? 429 : outcome.status;
  const limits = REFUSED.has(status) ? REFUSED_BACKOFF : BACKOFF;
  const forMs = outcome.kind === 'paused' ? outcome.forMs : backoffMs(batch.attempts + 1, limits, random());
  postpone(storage.sql, batch, status, now() + forMs);
  tellFailed({ status, kind, attempts: batch.attempts + 1, retryInMs: forMs });
  if (outcome.kind === 'paused') await gate.pause(forMs);
}
