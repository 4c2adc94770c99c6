import type { SeenBatch } from '../flaky-proxy.ts';
import { assert } from './scenario.ts';

export type Allowance = { readonly requestsPerMinute: number; readonly burst: number };

// What leaves at an even pace arrives at a less even one, on a busy machine.
const JITTER_MS = 500;

/** Rejects where, in any stretch of time, more batches were seen than all tabs together may send. */
export function assertPace(seen: readonly SeenBatch[], { requestsPerMinute, burst }: Allowance): void {
  for (const [index, first] of seen.entries())
    for (const [later, last] of seen.slice(index).entries()) {
      const forMs = last.at - first.at + JITTER_MS;
      const allowed = burst + Math.ceil((forMs * requestsPerMinute) / 60_000);
      assert(later + 1 <= allowed, `${later + 1} requests in ${forMs} ms, where ${allowed} may leave`);
    }
}

/** Rejects where a batch was seen after one moment and before another. */
export function assertSilence(seen: readonly SeenBatch[], after: number, before: number): void {
  const early = seen.filter(({ at }) => at > after && at < before);
  const told = seen.map(({ at, passage, sessions }) => `${at - after} ms ${passage} ${sessions}`).join(', ');
  assert(early.length === 0, `${early.length} requests before ${before - after} ms: ${told}`);
}
