import { backoffMs } from '../pacing/backoff.ts';
import { type Cut, cutBatch } from './cut.ts';
import type { Permit } from './rate-gate.ts';
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
};

// An alarm may run for 15 minutes; one that ends sooner leaves room for a new deploy. What is left goes on in the next.
const PASS_MS = 20_000;

// Batches that wait to be sent again. While WebEngage is down no more are cut: what comes in the meantime still merges.
const MAX_SEALED = 6;

const BACKOFF = { baseMs: 1_000, capMs: 60_000 };

type Work =
  | { readonly step: 'resend'; readonly batch: SealedBatch }
  | { readonly step: 'cut'; readonly cut: Cut }
  | { readonly step: 'wait'; readonly until: number }
  | { readonly step: 'rest' };

/** What to do next: a sealed batch that is due, before any new one. */
function nextWork(sql: SqlStorage, lingerMs: number, now: number): Work {
  const sealed = sealedBatches(sql);
  const due = sealed.find(({ dueAt }) => dueAt <= now);
  if (due !== undefined) return { step: 'resend', batch: due };

  const inFlight = new Set(sealed.flatMap(({ members }) => members.map(({ seq }) => seq)));
  const step = sealed.length < MAX_SEALED ? cutBatch(oldestRuns(sql), inFlight, lingerMs, now) : undefined;
  if (step?.step === 'cut') return step;

  const moments = [...sealed.map(({ dueAt }) => dueAt), ...(step?.step === 'wait' ? [step.until] : [])];
  return moments.length > 0 ? { step: 'wait', until: Math.min(...moments) } : { step: 'rest' };
}

/**
 * Sends what is due to WebEngage, batch by batch, until nothing is, or its time is over.
 * Whatever it is interrupted at, the next pass goes on from what is in storage.
 *
 * @returns when to run again, or undefined where nothing is left
 */
export async function relayPass(ports: RelayPassPorts): Promise<number | undefined> {
  const { storage, gate, lingerMs, now, sleep, newRequestId } = ports;
  const endAt = now() + PASS_MS;

  while (now() < endAt) {
    const foreseen = nextWork(storage.sql, lingerMs, now());
    if (foreseen.step === 'rest') return undefined;
    if (foreseen.step === 'wait') return foreseen.until;

    const permit = await gate.take();
    if (!permit.granted) return now() + permit.retryInMs;
    if (permit.startInMs > 0) await sleep(permit.startInMs);

    // Looked at anew: while the permit was on its way, more may have come to fill the batch.
    const work = nextWork(storage.sql, lingerMs, now());
    if (work.step === 'resend') await call(ports, work.batch);
    if (work.step === 'cut') await call(ports, seal(storage.sql, work.cut, newRequestId(), now()));
  }
  return now();
}

/** One call with a sealed batch. It leaves only once the seal is on disk: the platform holds it back until then. */
async function call(ports: RelayPassPorts, batch: SealedBatch): Promise<void> {
  const { storage, gate, upstream, now, random } = ports;
  const { kind, requestId } = batch;
  const outcome = await upstream({ kind, requestId, records: recordsOf(storage.sql, batch) });

  switch (outcome.kind) {
    case 'delivered':
      return settle(storage, batch);
    case 'paused':
      postpone(storage.sql, batch, now() + outcome.forMs);
      return gate.pause(outcome.forMs);
    case 'retry':
      return postpone(storage.sql, batch, now() + backoffMs(batch.attempts + 1, BACKOFF, random()));
  }
}
