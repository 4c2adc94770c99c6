import { waitUntil } from 'cloudflare:workers';
import type { ExecutionContext as HonoContext } from 'hono';
import { type Plan, parsePlan, planFaults } from '../plan/plan.ts';
import { LIVE_PORTS } from './alerts/send.ts';
import { identity } from './auth/identity.ts';
import { corsHeaders, originAllowed } from './auth/origin.ts';
import { bindingFault } from './durable-objects/bindings.ts';
import type { Env, Relay } from './durable-objects/env.ts';
import { readPlanMode } from './http/enforce-plan.ts';
import { ANSWER_HEADERS } from './http/headers.ts';
import { health, reportLive } from './http/health.ts';
import { batchDoor, type Posted } from './http/post-batch.ts';
import { preflight } from './http/preflight.ts';
import { refusal } from './http/responses.ts';
import { newApp } from './http/router.ts';
import { reportMetrics } from './operator/metrics.ts';
import { operatorRoutes } from './operator/routes.ts';
import { entrypointOf, type RelayEntrypointClass } from './rpc/entrypoint.ts';
import { originsIn } from './settings/origin-pattern.ts';
import { readSettings } from './settings/settings.ts';
import { isLoopback } from './settings/upstream.ts';
import { logBroken, logFault } from './telemetry/log.ts';
import { watch } from './watchdog/watchdog.ts';

const UNAVAILABLE_RETRY_AFTER_S = 10;

// The usual address of a batch. To go through the router would take another twentieth of its processor time.
const BATCH_URL = /^https?:\/\/[^/?#]+\/v1\/batch$/;
const isPostedBatch = ({ method, url }: Request) => method === 'POST' && BATCH_URL.test(url);

// For a Worker of yours that passes no `ctx` on. The platform's own function knows the request.
const WITHOUT_CONTEXT: HonoContext = { waitUntil, passThroughOnException: () => {}, props: {} };

/** The complete relay, as the default export of a Worker: its request handler and its watchdog. */
export type RelayWorker = {
  readonly fetch: (request: Request, env: Env, ctx?: ExecutionContext) => Response | Promise<Response>;
  /**
   * The watchdog, for a cron trigger of every minute. Wakes every outbox whose alarm the platform has given up,
   * and sends alerts.
   */
  readonly scheduled: (controller: { readonly scheduledTime?: number }, env: Env) => Promise<void>;
};

/** The relay's options beside its variables and secrets. */
export type RelayOptions = {
  /**
   * The tracking plan from its JSON file: `import plan from '../tracking-plan.json'`.
   * `TRACKING_PLAN` decides what happens to records that violate it.
   */
  readonly plan?: object;
};

/**
 * Creates the relay: its public routes and its watchdog. Use it in your own Worker, or if you have a tracking
 * plan. Also `export { Outbox, RateGate } from 'webengage-relay/edge'`, and bind both as in wrangler.jsonc.
 * Throws if the plan is invalid, and lists its faults. So an invalid plan can't be deployed.
 */
export function createRelay({ plan }: RelayOptions = {}): RelayWorker {
  const app = newApp();
  const planned = plan && planOf(plan);
  const readIdentity = identity();
  const reportHealth = health();
  const takeBatch = batchDoor(planned);

  const setUp = async (request: Request, env: Env) =>
    forRequest(await readSetUp(env, readIdentity, planned !== undefined), request);

  const takePosted = async (request: Request, env: Env, ctx: Posted['ctx']): Promise<Response> => {
    const read = await setUp(request, env);
    return read.ok ? takeBatch({ request, env, ctx, ...read.variables }) : unavailable(read.message);
  };
  const answerBatch = async (request: Request, env: Env, ctx: Posted['ctx']): Promise<Response> => {
    const answer = await takePosted(request, env, ctx).catch((error) => failed(error, env));
    return withHeaders(answer, corsOf(request, env));
  };

  app.get('/health/live', reportLive);
  app.post('/v1/batch', (c) => answerBatch(c.req.raw, c.env, c.executionCtx));
  app.use(async (c, next) => {
    const read = await setUp(c.req.raw, c.env);
    if (read.ok) {
      c.set('settings', read.variables.settings);
      c.set('authorizeUsers', read.variables.authorizeUsers);
      c.set('planMode', read.variables.planMode);
      await next();
    } else c.res = unavailable(read.message);
    // The admin API and the metrics have no CORS headers, as no other site reads them.
    const isOperators = /^\/(admin|metrics)(\/|$)/.test(c.req.path);
    withHeaders(c.res, isOperators ? {} : corsOf(c.req.raw, c.env));
  });

  app.options('/v1/batch', (c) => {
    const allowed = originAllowed(c.req.header('Origin') ?? null, c.var.settings.allowedOrigins);
    if (!allowed) return refusal('origin_not_allowed', 'this origin may not send here');
    return preflight(c.req.header('Access-Control-Request-Headers') ?? null);
  });
  app.all('/v1/batch', () =>
    refusal('method_not_allowed', 'batches must be sent with POST', { Allow: 'POST, OPTIONS' }),
  );
  app.get('/health', (c) => reportHealth(c.env, c.var.settings, Date.now));
  app.route('/admin', operatorRoutes());
  app.get('/metrics', reportMetrics());
  app.notFound(() => refusal('not_found', 'not found'));
  app.onError((error, c) => failed(error, c.env));
  return {
    fetch: (request, env, ctx) =>
      isPostedBatch(request)
        ? answerBatch(request, env, ctx ?? WITHOUT_CONTEXT)
        : app.fetch(request, env, ctx ?? WITHOUT_CONTEXT),
    scheduled: async ({ scheduledTime = Date.now() }, env) => {
      const read = await readSetUp(env, readIdentity, planned !== undefined);
      const fault = read.ok ? bindingFault(env) : read.message;
      if (fault !== undefined) logBroken(fault);
      await watch(env, { scheduledAt: scheduledTime, isSetUp: read.ok }, LIVE_PORTS);
    },
  };
}

/**
 * Creates the entrypoint through which your other Workers send, as a class to export:
 * `export const RelayEntrypoint = relayEntrypoint({ plan })`. Use it with `createRelay({ plan })`; without a plan,
 * export `RelayEntrypoint` as it is. Throws if the plan is invalid.
 */
export function relayEntrypoint({ plan }: RelayOptions = {}): RelayEntrypointClass {
  return entrypointOf(plan && planOf(plan));
}

function planOf(plan: object): Plan {
  const parsed = parsePlan(plan);
  if (!parsed.ok) throw new Error(`invalid tracking plan: ${planFaults(parsed.issues).join('; ')}`);
  return parsed.plan;
}

/** The variables of the routes, or a message on what to set. */
type SetUp =
  | { readonly ok: true; readonly variables: Relay['Variables'] }
  | { readonly ok: false; readonly message: string };

/** Reads the settings, with those that need more than their text to be checked. */
async function readSetUp(
  env: Env,
  readIdentity: ReturnType<typeof identity>,
  hasPlan: boolean,
): Promise<SetUp> {
  const read = readSettings(env);
  if (!read.ok) return read;
  const { settings } = read;
  const plan = readPlanMode(settings, hasPlan);
  if (!plan.ok) return plan;
  const users = await readIdentity(settings.identity);
  if (!users.ok) return users;
  const { authorizeUsers } = users;
  return { ok: true, variables: { settings, authorizeUsers, planMode: plan.mode } };
}

/** The set-up for a request. Refused if the upstream is on this machine, but the relay is not. */
function forRequest(read: SetUp, { url }: Request): SetUp {
  if (read.ok && isLoopback(read.variables.settings.upstream) && !isLoopback(new URL(url).origin))
    return { ok: false, message: 'WEBENGAGE_HOST may be this machine only if the relay runs on it too' };
  return read;
}

/** Adds the headers that every answer has, errors included: a page that can't read one takes it for a network failure. */
function withHeaders(answer: Response, cors: Readonly<Record<string, string>>): Response {
  const { headers } = answer;
  for (const [name, value] of Object.entries({ ...ANSWER_HEADERS, ...cors })) headers.set(name, value);
  return answer;
}

const corsOf = ({ headers }: Request, env: Env) =>
  corsHeaders(headers.get('Origin'), originsIn(env.ALLOWED_ORIGINS));

function failed(error: unknown, env: Env): Response {
  logFault('request_failed', error);
  return unavailable(bindingFault(env) ?? 'try again later');
}

const unavailable = (message: string) =>
  refusal('unavailable', message, { 'Retry-After': String(UNAVAILABLE_RETRY_AFTER_S) });

export type { Answer } from '../contract/answer.ts';
export type { Env } from './durable-objects/env.ts';
export { Outbox } from './durable-objects/outbox.ts';
export { RateGate } from './durable-objects/rate-gate.ts';
export type { WireBatch } from './rpc/batch-text.ts';
export type { RelayCalls, RelayEntrypointClass } from './rpc/entrypoint.ts';
export type { RelayProps } from './rpc/props.ts';

/**
 * The entrypoint for your other Workers, without a tracking plan. Bind it there as a service with
 * `"entrypoint": "RelayEntrypoint"`, and call `ctx.waitUntil(env.RELAY.track(…))`. `RelayProps` are the binding's `props`.
 */
export const RelayEntrypoint: RelayEntrypointClass = relayEntrypoint();

/** The relay as a complete Worker, without a tracking plan. */
export default createRelay() satisfies ExportedHandler<Env>;
