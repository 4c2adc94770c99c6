import type { Context } from 'hono';
import { showsToken } from '../auth/bearer.ts';
import { type BindingName, missingBindings } from '../durable-objects/bindings.ts';
import type { Env, Relay } from '../durable-objects/env.ts';
import { inTime } from '../durable-objects/in-time.ts';
import { leadsElsewhere, outboxNamed } from '../durable-objects/outbox-directory.ts';
import type { OutboxMetrics } from '../durable-objects/outbox-metrics.ts';
import { gateOf } from '../durable-objects/rate-gate.ts';
import { withRetry } from '../durable-objects/with-retry.ts';
import { refusal } from '../http/responses.ts';
import { logFault, logWrongMetricsTokens } from '../telemetry/log.ts';
import { throttledCount } from '../telemetry/throttled-count.ts';
import { type Family, OPEN_METRICS_TYPE, openMetrics, plainText, TEXT_TYPE } from './exposition.ts';
import { bindingFamily, type MeasuredOutbox, metricFamilies } from './metric-families.ts';

// Below the usual scrape interval of 15 seconds: else a scrape would get the figures of the one before.
const KNOWN_FOR_MS = 10_000;

// Below the scrape timeout of Prometheus, 10 seconds, so that one silent outbox does not hide the others.
const ANSWERS_WITHIN_MS = 5_000;

/**
 * `GET /metrics`, for one isolate of the Worker. Without the METRICS_TOKEN it answers 404. It asks the gate, and
 * those outboxes that have counted since the last scrape. Without a gate it says only that.
 */
export function reportMetrics(): (c: Context<Relay>) => Promise<Response> {
  const countWrong = throttledCount<'times'>(({ times = 0 }) => logWrongMetricsTokens(times));
  let known: readonly Family[] = [];
  let knownUntil = 0;
  return async (c) => {
    const authorization = c.req.header('Authorization') ?? null;
    if (!(await showsToken(authorization, c.var.settings.metricsToken))) {
      if (authorization !== null) countWrong({ times: 1 }, Date.now());
      return refusal('not_found', 'not found');
    }
    if (knownUntil <= Date.now()) {
      const missing = missingBindings(c.env);
      known = missing.includes('RATE_GATE') ? [bindingFamily(missing)] : await measure(c, missing);
      knownUntil = Date.now() + KNOWN_FOR_MS;
    }
    const isOpen = c.req.header('Accept')?.includes('application/openmetrics-text') === true;
    return new Response(isOpen ? openMetrics(known) : plainText(known), {
      headers: { 'Content-Type': isOpen ? OPEN_METRICS_TYPE : TEXT_TYPE },
    });
  };
}

async function measure(c: Context<Relay>, missing: readonly BindingName[]): Promise<readonly Family[]> {
  const ticket = crypto.randomUUID();
  const gate = await withRetry(async () => gateOf(c.env).metrics(ticket));
  const outboxes = await Promise.all(
    gate.outboxes.map(
      async ({ name, resting }): Promise<MeasuredOutbox> => ({
        name,
        figures: resting ?? (await figuresOf(c.env, name)),
      }),
    ),
  );
  const known = new Set(gate.outboxes.flatMap(({ name, resting }) => (resting ? [name] : [])));
  const asked = outboxes.filter(({ name }) => !known.has(name));
  const noneAnswers = asked.length > 0 && asked.every(({ figures }) => figures === undefined);
  const isMisbound = noneAnswers && (await leadsElsewhere(c.env, c.var.settings));
  const resting = asked.flatMap(({ name, figures }) =>
    figures?.isResting === true ? [{ name, figures }] : [],
  );
  if (resting.length > 0)
    c.executionCtx.waitUntil(
      gateOf(c.env)
        .keepResting(ticket, resting)
        .catch((error: unknown) => logFault('metrics_failed', error)),
    );
  const { maxBacklog } = c.var.settings;
  return metricFamilies({ gate, outboxes, missing: isMisbound ? ['OUTBOX'] : missing, maxBacklog });
}

/** Undefined if it fails, or does not answer in time. */
async function figuresOf(env: Env, name: string): Promise<OutboxMetrics | undefined> {
  try {
    const ask = () => withRetry(async () => outboxNamed(env, name).metrics());
    return await inTime(ask, ANSWERS_WITHIN_MS);
  } catch (error) {
    logFault('metrics_failed', error);
    return undefined;
  }
}
