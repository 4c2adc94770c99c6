import { type Context, Hono } from 'hono';
import { type Plan, parsePlan, planFaults } from '../plan/plan.ts';
import { identity } from './auth/identity.ts';
import { corsHeaders, originAllowed } from './auth/origin.ts';
import type { Env, Relay } from './durable-objects/env.ts';
import { wakeAll } from './durable-objects/outbox-directory.ts';
import { ANSWER_HEADERS } from './http/headers.ts';
import { health, reportLive } from './http/health.ts';
import { batchDoor } from './http/post-batch.ts';
import { preflight } from './http/preflight.ts';
import { refusal } from './http/responses.ts';
import { operatorRoutes } from './operator/routes.ts';
import { originsIn } from './settings/origin-pattern.ts';
import { readSettings } from './settings/settings.ts';
import { isLoopback } from './settings/upstream.ts';
import { logFault } from './telemetry/log.ts';

const UNAVAILABLE_RETRY_AFTER_S = 10;

/** What answers requests and looks after the outboxes, whole: what a Worker exports by default. */
export type RelayWorker = {
  readonly fetch: (request: Request, env: Env, ctx: ExecutionContext) => Response | Promise<Response>;
  /** The watchdog, for a cron trigger: looks after every outbox whose alarm the platform has given up. */
  readonly scheduled: (controller: unknown, env: Env) => Promise<void>;
};

/** What a relay is made with, beside its variables and secrets. */
export type RelayOptions = {
  /**
   * The tracking plan, as it stands in its file: `import plan from '../tracking-plan.json'`.
   * `TRACKING_PLAN` says what becomes of records that are off it.
   */
  readonly plan?: object;
};

/**
 * The relay: the only public door, and its watchdog. For those who build a Worker of their own, or have a tracking plan:
 * `export { Outbox, RateGate } from 'webengage-relay/edge'` beside it, and bind both as wrangler.jsonc does.
 * Throws, so that it is not deployed, where the plan is none; with what is wrong with it.
 */
export function createRelay({ plan }: RelayOptions = {}): RelayWorker {
  const app = new Hono<Relay>();
  const planned = plan && planOf(plan);
  const readIdentity = identity();
  const reportHealth = health();

  app.get('/health/live', reportLive);
  app.use(async (c, next) => {
    const toSet = await setUp(c, readIdentity, planned !== undefined);
    if (toSet === undefined) await next();
    else c.res = unavailable(toSet);
    // On every answer, errors too: a page that may not read one takes it for a dead network. The operator's no page reads
    // but the relay's own.
    const isOperators = /^\/admin(\/|$)/.test(c.req.path);
    const cors = isOperators
      ? {}
      : corsHeaders(c.req.header('Origin') ?? null, originsIn(c.env.ALLOWED_ORIGINS));
    for (const [name, value] of Object.entries({ ...ANSWER_HEADERS, ...cors }))
      c.res.headers.set(name, value);
  });

  app.options('/v1/batch', (c) => {
    const allowed = originAllowed(c.req.header('Origin') ?? null, c.var.settings.allowedOrigins);
    if (!allowed) return refusal('origin_not_allowed', 'this origin may not send here');
    return preflight(c.req.header('Access-Control-Request-Headers') ?? null);
  });
  app.post('/v1/batch', batchDoor(planned));
  app.all('/v1/batch', () => refusal('method_not_allowed', 'batches are posted', { Allow: 'POST, OPTIONS' }));
  app.get('/health', (c) => reportHealth(c.env, c.var.settings, Date.now));
  app.route('/admin', operatorRoutes());
  app.notFound(() => refusal('not_found', 'there is nothing here'));
  app.onError((error) => {
    logFault('request_failed', error);
    return unavailable('try again later');
  });
  return {
    fetch: app.fetch,
    scheduled: async (_controller, env) => {
      const read = readSettings(env);
      if (read.ok) await wakeAll(env);
    },
  };
}

function planOf(plan: object): Plan {
  const parsed = parsePlan(plan);
  if (!parsed.ok) throw new Error(`the tracking plan is none: ${planFaults(parsed.issues).join('; ')}`);
  return parsed.plan;
}

/** Hands the routes what they work with; or answers what to set, where some of it is missing or impossible. */
async function setUp(
  c: Context<Relay>,
  readIdentity: ReturnType<typeof identity>,
  hasPlan: boolean,
): Promise<string | undefined> {
  const read = readSettings(c.env);
  if (!read.ok) return read.message;
  const { settings } = read;
  if (isLoopback(settings.upstream) && !isLoopback(new URL(c.req.url).origin))
    return 'WEBENGAGE_HOST may be this machine only where the relay runs on it too';
  const { trackingPlan } = settings;
  if (!hasPlan && trackingPlan !== undefined && trackingPlan !== 'off')
    return `TRACKING_PLAN is ${trackingPlan}, and there is no tracking plan: createRelay({ plan })`;
  const users = await readIdentity(settings.identity);
  if (!users.ok) return users.message;
  c.set('settings', settings);
  c.set('authorizeUsers', users.authorizeUsers);
  c.set('planMode', hasPlan ? (trackingPlan ?? 'report') : undefined);
  return undefined;
}

const unavailable = (message: string) =>
  refusal('unavailable', message, { 'Retry-After': String(UNAVAILABLE_RETRY_AFTER_S) });

export type { Env } from './durable-objects/env.ts';
export { Outbox } from './durable-objects/outbox.ts';
export { RateGate } from './durable-objects/rate-gate.ts';

/** The relay as a Worker by itself. */
export default createRelay() satisfies ExportedHandler<Env>;
