import type { Context } from 'hono';
import type { Relay } from '../durable-objects/env.ts';
import { gateOf } from '../durable-objects/rate-gate.ts';
import { answeredIn, refusedFor } from '../telemetry/observations.ts';
import type { Observer } from '../telemetry/observer.ts';
import { reasonOf } from './responses.ts';

type Accept = (c: Context<Relay>) => Promise<Response>;

/** The ingest endpoint, observed for `/metrics`. Without a METRICS_TOKEN it only accepts. */
export function observed({ observe, report }: Observer, accept: Accept): Accept {
  return async (c) => {
    if (c.var.settings.metricsToken === undefined) return accept(c);
    const startedAt = Date.now();
    // What is thrown is answered with 503.
    let status = 503;
    try {
      const answer = await accept(c);
      status = answer.status;
      return answer;
    } finally {
      const now = Date.now();
      observe(status === 202 ? answeredIn(now - startedAt) : refusedFor(reasonOf(status)));
      const reported = report(async (seen) => gateOf(c.env).observe(seen), now);
      if (reported !== undefined) c.executionCtx.waitUntil(reported);
    }
  };
}
