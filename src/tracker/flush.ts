import { utf8Bytes } from '../contract/text.ts';
import { backoffMs } from '../pacing/backoff.ts';
import { fullBucket } from '../pacing/token-bucket.ts';
import type { BufferedRecord, Storage } from './buffer.ts';
import type { DropReason, Tell } from './ends.ts';
import { type FlushLimits, type NextStep, nextStep, type Pace } from './next-step.ts';
import { MAX_KEEPALIVE_BYTES, type Outcome, type RelayClient } from './relay-client.ts';

export type FlushPorts = {
  readonly storage: Storage;
  readonly relay: RelayClient;
  readonly tell: Tell;
  readonly now: () => number;
  readonly random: () => number;
};

/** How a flush ended: with nothing due, or with records that have to wait. */
export type FlushEnd = Extract<NextStep, { step: 'rest' | 'wait' }>;

/** The name of the pace in the state shared by all tabs. */
export const PACE = 'pace';

const BACKOFF = { baseMs: 1_000, capMs: 5 * 60_000 };

// A wrong origin or token is mended by a person, not by asking again soon.
const NOT_ALLOWED_BACKOFF = { baseMs: 60_000, capMs: 60 * 60_000 };

// Of a body, what is not records (its token is the most of it), and what each record gets on the way: its age, a comma.
const ENVELOPE_BYTES = 4_000;
const AGE_BYTES = 20;

/** As many of the oldest records as fit into one keepalive request; at least one. */
export function fitting(oldest: readonly BufferedRecord[]): readonly BufferedRecord[] {
  let bytes = ENVELOPE_BYTES;
  const over = oldest.findIndex(({ record }) => {
    bytes += utf8Bytes(JSON.stringify(record)) + AGE_BYTES;
    return bytes > MAX_KEEPALIVE_BYTES;
  });
  return over === -1 ? oldest : oldest.slice(0, Math.max(1, over));
}

function paceAfter(pace: Pace, outcome: Outcome, now: number, random: number): Pace {
  if (outcome.kind !== 'retry') return { bucket: pace.bucket, failures: 0 };
  const { reason, afterMs } = outcome;
  const failures = pace.failures + 1;
  const limits = reason === 'not_allowed' ? NOT_ALLOWED_BACKOFF : BACKOFF;
  // Never earlier than asked, and not all browsers that were asked the same in the same moment.
  const forMs =
    afterMs === undefined ? backoffMs(failures, limits, random) : afterMs + backoffMs(1, limits, random);
  return { bucket: pace.bucket, failures, pause: { since: now, forMs, reason } };
}

const idsOf = (records: readonly BufferedRecord[]) => records.map(({ record }) => record.id);
const keysOf = (records: readonly BufferedRecord[]) => records.map(({ key }) => key);

/** Gives records up, and tells so. */
export async function drop(
  { storage, tell }: Pick<FlushPorts, 'storage' | 'tell'>,
  records: readonly BufferedRecord[],
  reason: DropReason,
): Promise<void> {
  await storage.buffer.remove(keysOf(records));
  tell('dropped', { ids: idsOf(records), reason });
}

/** Forgets what the relay has answered for, and tells so. */
export async function settle(
  { storage, tell }: Pick<FlushPorts, 'storage' | 'tell'>,
  batch: readonly BufferedRecord[],
  { rejected, duplicates }: Extract<Outcome, { kind: 'settled' }>,
): Promise<void> {
  await storage.buffer.remove(keysOf(batch));
  for (const rejection of rejected) tell('rejected', rejection);
  const refused = new Set(rejected.map(({ id }) => id));
  const ids = idsOf(batch).filter((id) => !refused.has(id));
  if (ids.length > 0) tell('delivered', { ids, duplicates });
}

/**
 * Sends what is due, batch by batch, oldest first, until nothing is or something has to wait.
 * Nothing leaves the buffer before the relay has answered for it. One flush at a time, over all tabs.
 *
 * @param dueBefore what was buffered before this moment is due, be it a full batch or not
 */
export async function flush(ports: FlushPorts, limits: FlushLimits, dueBefore: number): Promise<FlushEnd> {
  const { storage, relay, tell, now, random } = ports;
  // Halved while the relay refuses a batch, down to the one record at fault; doubled again with each that it takes.
  let batchSize = limits.batchSize;

  while (true) {
    const oldest = await storage.buffer.peek(limits.batchSize);
    const pace = await readPace(storage, limits, now());
    const step = nextStep(oldest, pace, limits, dueBefore, now());

    switch (step.step) {
      case 'rest':
        return step;
      case 'wait':
        // Waiting for the allowance is no trouble, and nobody's news.
        if (step.reason !== 'tokens') tell('retrying', { reason: step.reason, inMs: step.forMs });
        return step;
      case 'drop':
        await drop(ports, step.records, 'expired');
        break;
      case 'send': {
        await storage.state.update(PACE, () => step.pace);
        const batch = fitting(oldest.slice(0, batchSize));
        const outcome = await relay(batch);
        if (outcome.kind === 'refused' && batch.length > 1) {
          batchSize = Math.floor(batch.length / 2);
        } else if (outcome.kind !== 'retry') {
          batchSize = Math.min(limits.batchSize, batchSize * 2);
          await settle(
            ports,
            batch,
            outcome.kind === 'settled' ? outcome : refusedAs(batch, outcome.message),
          );
        }
        if (outcome.kind === 'retry' || pace.failures > 0)
          await storage.state.update(PACE, () => paceAfter(step.pace, outcome, now(), random()));
      }
    }
  }
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

async function readPace(storage: Storage, limits: FlushLimits, now: number): Promise<Pace> {
  const kept = await storage.state.get(PACE);
  // Ours alone writes it, under a name of its own: what is there has this shape.
  return (kept as Pace | undefined) ?? { bucket: fullBucket(limits.bucket, now), failures: 0 };
}
