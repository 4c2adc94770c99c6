import type { Env } from '../durable-objects/env.ts';
import { gateOf } from '../durable-objects/rate-gate.ts';
import type { RelaySettings } from '../settings/settings.ts';
import { answeredIn, type RefusedBatch, refusedFor } from '../telemetry/observations.ts';
import type { Observer } from '../telemetry/observer.ts';

/** What surrounds a batch that is observed. */
type Surroundings = {
  readonly env: Env;
  readonly ctx: { readonly waitUntil: (promise: Promise<unknown>) => void };
  readonly settings: RelaySettings;
  readonly now: () => number;
};

/**
 * Takes a batch, and observes for `/metrics` how long that took or why it was refused. Without a METRICS_TOKEN it
 * only takes the batch.
 *
 * @param refusalOf why the batch was refused. Undefined if it was taken
 */
export async function observed<Answer>(
  { observe, report }: Observer,
  { env, ctx, settings, now }: Surroundings,
  take: () => Promise<Answer>,
  refusalOf: (outcome: PromiseSettledResult<Answer>) => RefusedBatch | undefined,
): Promise<Answer> {
  if (settings.metricsToken === undefined) return take();
  const startedAt = now();
  const [outcome] = await Promise.allSettled([take()]);
  const endedAt = now();
  const refusal = refusalOf(outcome);
  observe(refusal === undefined ? answeredIn(endedAt - startedAt) : refusedFor(refusal));
  const reported = report(async (seen) => gateOf(env).observe(seen), endedAt);
  if (reported !== undefined) ctx.waitUntil(reported);
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}
