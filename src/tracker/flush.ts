import { backoffMs } from '../pacing/backoff.ts';
import { fullBucket } from '../pacing/token-bucket.ts';
import { batchesWithin } from './batches.ts';
import type { BufferedRecord, Storage } from './buffer.ts';
import type { DropReason, Tell } from './ends.ts';
import { type FlushLimits, isOver, type NextStep, nextStep, type Pace } from './next-step.ts';
import { MAX_KEEPALIVE_BYTES, type Outcome, type RelayClient } from './relay-client.ts';
import type { Exclusive } from './tab-lock.ts';

export type FlushPorts = {
  readonly storage: Storage;
  readonly relay: RelayClient;
  readonly exclusive: Exclusive;
  readonly limits: FlushLimits;
  readonly tell: Tell;
  readonly now: () => number;
  readonly random: () => number;
  /** Is shown what the buffer begins with; `whole`: nothing comes after it. */
  readonly found: (oldest: readonly BufferedRecord[], whole: boolean) => void;
};

/** How a flush ended: with nothing due, or with records that have to wait. */
export type FlushEnd = Extract<NextStep, { step: 'rest' | 'wait' }>;

/** The name of the pace in the state shared by all tabs. */
export const PACE = 'pace';

const BACKOFF = { baseMs: 1_000, capMs: 5 * 60_000 };

// A wrong origin or token is mended by a person, not by asking again soon.
const NOT_ALLOWED_BACKOFF = { baseMs: 60_000, capMs: 60 * 60_000 };

function paceAfter(pace: Pace, outcome: Outcome, now: number, random: number): Pace {
  if (outcome.kind !== 'retry') return { bucket: pace.bucket, failures: 0 };
  const { reason, afterMs } = outcome;
  const failures = pace.failures + 1;
  const limits = reason === 'not_allowed' ? NOT_ALLOWED_BACKOFF : BACKOFF;
  // Never earlier than asked, and not all browsers that were asked the same in the same moment.
  const forMs =
    afterMs === undefined ? backoffMs(failures, limits, random) : afterMs + backoffMs(1, limits, random);
  const kept = pace.pause;
  // What the relay has asked for outlasts a lesser failure that is known only later: of a request that left beside it.
  const isLonger = kept !== undefined && !isOver(kept, now) && kept.since + kept.forMs > now + forMs;
  return { bucket: pace.bucket, failures, pause: isLonger ? kept : { since: now, forMs, reason } };
}

const idsOf = (records: readonly BufferedRecord[]) => records.map(({ record }) => record.id);

/** Gives records up, and tells so. */
export async function drop(
  { storage, tell }: Pick<FlushPorts, 'storage' | 'tell'>,
  records: readonly BufferedRecord[],
  reason: DropReason,
): Promise<void> {
  await storage.remove(records, reason);
  tell('dropped', { ids: idsOf(records), reason });
}

/**
 * Does what an answer asks for: forgets what the relay has settled, and tells so; or waits, all tabs together.
 *
 * @param failures batches that failed in a row before this one
 */
export async function conclude(
  { storage, limits, tell, now, random }: Omit<FlushPorts, 'relay' | 'exclusive' | 'found'>,
  batch: readonly BufferedRecord[],
  outcome: Exclude<Outcome, { kind: 'refused' }>,
  failures: number,
): Promise<void> {
  if (failures > 0 || outcome.kind === 'retry')
    await storage.update(PACE, (kept) => paceAfter(paceOf(kept, limits, now()), outcome, now(), random()));
  if (outcome.kind === 'retry') return;

  const refused = new Map(outcome.rejected.map((rejection) => [rejection.id, rejection]));
  const delivered = batch.filter(({ record }) => !refused.has(record.id));
  const rejected = batch.filter(({ record }) => refused.has(record.id));
  if (delivered.length > 0) {
    await storage.remove(delivered, 'delivered');
    tell('delivered', { ids: idsOf(delivered), duplicates: outcome.duplicates });
  }
  if (rejected.length > 0) {
    await storage.remove(rejected, 'rejected');
    for (const rejection of refused.values()) tell('rejected', rejection);
  }
}

/** One step, and how it ends the flush, if it does. Never beside another: what is in hand would be sent twice. */
async function step(ports: FlushPorts, dueBefore: number, batchSize: number): Promise<FlushEnd | number> {
  const { storage, relay, limits, tell, now, found } = ports;
  const oldest = await storage.peek(limits.batchSize);
  found(oldest, oldest.length < limits.batchSize);
  const pace = paceOf(await storage.get(PACE), limits, now());
  const next = nextStep(oldest, pace, limits, dueBefore, now());

  switch (next.step) {
    case 'rest':
      return next;
    case 'wait':
      // Waiting for the allowance is no trouble, and nobody's news.
      if (next.reason !== 'tokens') tell('retrying', { reason: next.reason, inMs: next.forMs });
      return next;
    case 'drop':
      await drop(ports, next.records, 'expired');
      return batchSize;
    case 'send': {
      await storage.update(PACE, () => next.pace);
      const due = oldest.slice(0, batchSize);
      const [batch = due.slice(0, 1)] = batchesWithin(due, MAX_KEEPALIVE_BYTES);
      const outcome = await relay(batch);
      if (outcome.kind === 'refused' && batch.length > 1) return Math.floor(batch.length / 2);
      const end = outcome.kind === 'refused' ? refusedAs(batch, outcome.message) : outcome;
      await conclude(ports, batch, end, pace.failures);
      return Math.min(limits.batchSize, batchSize * 2);
    }
  }
}

/**
 * Sends what is due, batch by batch, oldest first, until nothing is or something has to wait.
 * Nothing leaves the buffer before the relay has answered for it. One batch at a time, over all tabs.
 */
export function flusher(ports: FlushPorts): (dueBefore: number) => Promise<FlushEnd> {
  // Halved while the relay refuses a batch, down to the one record at fault; doubled again with each that it takes. Kept
  // from flush to flush: there may be fewer tokens than halvings.
  let batchSize = ports.limits.batchSize;

  /** @param dueBefore what was buffered before this moment is due, be it a full batch or not */
  return async (dueBefore) => {
    while (true) {
      const end = await ports.exclusive(() => step(ports, dueBefore, batchSize));
      if (typeof end === 'object') return end;
      batchSize = end;
    }
  };
}

function refusedAs(batch: readonly BufferedRecord[], message: string): Extract<Outcome, { kind: 'settled' }> {
  const rejected = idsOf(batch).map((id) => ({ id, issues: [{ path: '', message }] }));
  return { kind: 'settled', rejected, duplicates: 0 };
}

/** The pace once the network is back: its failures are over, and what the relay itself asked for is not. */
export function endNetworkPause(kept: unknown): unknown {
  const pace = kept as Pace | undefined;
  return pace?.pause?.reason === 'network' ? { bucket: pace.bucket, failures: 0 } : pace;
}

function paceOf(kept: unknown, limits: FlushLimits, now: number): Pace {
  // Ours alone writes it, under a name of its own: what is there has this shape.
  return (kept as Pace | undefined) ?? { bucket: fullBucket(limits.bucket, now), failures: 0 };
}
