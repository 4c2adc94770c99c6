import type { Env } from '../durable-objects/env.ts';
import { type CountGroup, gateOf } from '../durable-objects/rate-gate.ts';
import { logFault } from '../telemetry/log.ts';
import { type Counts, throttledCount } from '../telemetry/throttled-count.ts';

/** What a count needs of the request that it comes with. */
type Counting = {
  readonly env: Env;
  readonly ctx: { readonly waitUntil: (promise: Promise<unknown>) => void };
};

/**
 * Counts by name within one isolate of the Worker, and adds up the counts of all isolates in the gate. The first
 * count is logged and passed on at once, then at most once a minute: no request waits for it, or costs a call of its own.
 */
export function sharedCount<Name extends string>(
  group: CountGroup,
  log: (counts: Counts<Name>) => void,
): (from: Counting, counted: Counts<Name>, now: number) => void {
  const count = throttledCount(log);
  return ({ env, ctx }, counted, now) => {
    const reported = count(counted, now);
    if (reported !== undefined) ctx.waitUntil(passOn(env, group, reported));
  };
}

async function passOn(env: Env, group: CountGroup, counts: Counts<string>): Promise<void> {
  try {
    await gateOf(env).addCounts(group, counts);
  } catch (error) {
    // The sender has its answer, and the count is in the log.
    logFault('count_failed', error);
  }
}
