import { backoffMs } from '../../pacing/backoff.ts';
import { RelayError } from '../../server/relay-error.ts';
import type { Env } from '../durable-objects/env.ts';
import { type Intake, storeDelivery } from '../http/take-batch.ts';
import type { Delivery, Receipt } from '../queue/ingest.ts';
import { logFault } from '../telemetry/log.ts';
import type { RefusedBatch } from '../telemetry/observations.ts';

/** The time and chance of retries. */
export type Clock = {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number;
};

// The platform ends a caller's `waitUntil` 30 seconds after its response. Its call must have an end before that.
// https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil
const TRY_FOR_MS = 10_000;

const BACKOFF = { baseMs: 500, capMs: 4_000 };

/**
 * Stores a delivery, and tries again for a few seconds while its outbox has no room or can't be reached. Each try
 * has the same ids, so none of them stores a record twice. Then throws a `RelayError` that is worth a retry.
 */
export async function storeWithRetries(
  env: Env,
  outbox: string,
  delivery: Delivery & { readonly sender: string },
  known: Intake,
  { now, sleep, random }: Clock,
): Promise<Extract<Receipt, { stored: true }>> {
  const giveUpAt = now() + TRY_FOR_MS;
  for (let failures = 1; ; failures++) {
    const receipt = await storeOnce(env, outbox, delivery, known, now);
    if (receipt?.stored) return receipt;
    const isLimited = receipt?.retryInMs !== undefined;
    if (receipt !== undefined)
      known.countServerRefused(delivery.sender, { [isLimited ? 'limited' : 'full']: 1 }, now());
    const waitMs = receipt?.retryInMs ?? backoffMs(failures, BACKOFF, random());
    if (now() + waitMs > giveUpAt) throw unavailable(receipt, waitMs);
    await sleep(waitMs);
  }
}

/** Undefined if the outbox could not be reached. */
async function storeOnce(
  env: Env,
  outbox: string,
  delivery: Delivery,
  known: Intake,
  now: () => number,
): Promise<Receipt | undefined> {
  // A note that this isolate keeps for a few seconds: asking a full outbox again would cost it a call.
  if (known.isShedding(outbox, now())) return { stored: false };
  try {
    const receipt = await storeDelivery(env, outbox, delivery, known);
    if (!receipt.stored && receipt.retryInMs === undefined) known.shed(outbox, now());
    return receipt;
  } catch (error) {
    logFault('request_failed', error);
    return undefined;
  }
}

type NotStored = Extract<Receipt, { stored: false }>;

function reasonOf(receipt: NotStored | undefined): string {
  if (receipt === undefined) return "can't reach its outbox";
  return receipt.retryInMs === undefined ? 'is full' : 'is behind';
}

/**
 * An error that says by `retryable`, as those of the platform do, that the same call may succeed later. Its cause is
 * how `/v1/batch` would have refused the batch.
 */
function unavailable(receipt: NotStored | undefined, waitMs: number): RelayError {
  const inS = Math.ceil(waitMs / 1_000);
  const message = `the relay ${reasonOf(receipt)} and did not store the record: call again, in ${inS} s or later`;
  const cause: RefusedBatch = receipt?.retryInMs === undefined ? 'unavailable' : 'rate_limited';
  return Object.assign(new RelayError('unavailable', message, { cause }), { retryable: true });
}
