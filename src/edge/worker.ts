import { type Context, Hono } from 'hono';
import type { Answer } from '../contract/answer.ts';
import { MAX_BODY_BYTES } from '../contract/batch.ts';
import { VERSION } from '../contract/version.ts';
import { isOperator } from './admin.ts';
import { readBody } from './body.ts';
import { checkBatch, parseBatch } from './check.ts';
import { logFault } from './log.ts';
import { corsHeaders, originAllowed } from './origin.ts';
import type { Outbox } from './outbox.ts';
import type { RateGate } from './rate-gate.ts';
import { refusal } from './refusal.ts';
import { isLoopback, originsOf, type RelaySettings, readSettings, type SettingsEnv } from './settings.ts';

/** What wrangler.jsonc binds, and what the operator sets. */
export type Env = SettingsEnv & {
  readonly OUTBOX: DurableObjectNamespace<Outbox>;
  readonly RATE_GATE: DurableObjectNamespace<RateGate>;
};

type Relay = { Bindings: Env; Variables: { settings: RelaySettings } };

// What `fetch` sends by itself for a string, and what a server would. Nothing else is JSON.
const MEDIA_TYPE = /^(text\/plain|application\/json)\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

// How long a browser may remember a preflight's answer; browsers cut it to two hours or less.
const PREFLIGHT_MAX_AGE_S = 7_200;

const UNAVAILABLE_RETRY_AFTER_S = 10;

/**
 * The relay's routes: the only public door. For those who build a Worker of their own around it:
 * `export { Outbox, RateGate } from 'webengage-relay/edge'` beside it, and bind both as wrangler.jsonc does.
 */
export function createRelay(): Hono<Relay> {
  const app = new Hono<Relay>();

  app.use(async (c, next) => {
    const read = readSettings(c.env);
    const misplaced = read.ok && isLoopback(read.settings.upstream) && !isLoopback(new URL(c.req.url).origin);
    if (!read.ok) c.res = unavailable(read.message);
    else if (misplaced)
      c.res = unavailable('WEBENGAGE_HOST may be this machine only where the relay runs on it too');
    else {
      c.set('settings', read.settings);
      await next();
    }
    // On every answer, errors too: a page that may not read one takes it for a dead network.
    const cors = corsHeaders(c.req.header('Origin') ?? null, originsOf(c.env));
    for (const [name, value] of Object.entries(cors)) c.res.headers.set(name, value);
    c.res.headers.set('Cache-Control', 'no-store');
    c.res.headers.set('X-Content-Type-Options', 'nosniff');
  });

  app.options('/v1/batch', (c) => {
    const allowed = originAllowed(c.req.header('Origin') ?? null, c.var.settings.allowedOrigins);
    return allowed ? preflight() : originRefused();
  });
  app.post('/v1/batch', acceptBatch);
  app.all('/v1/batch', () => refusal('method_not_allowed', 'batches are posted', { Allow: 'POST, OPTIONS' }));
  app.get('/health', () => Response.json({ status: 'ok', version: VERSION }));
  app.get('/admin/status', reportStatus);
  app.notFound(() => refusal('not_found', 'there is nothing here'));
  app.onError((error) => {
    logFault('request_failed', error);
    return unavailable('try again later');
  });
  return app;
}

async function acceptBatch(c: Context<Relay>): Promise<Response> {
  if (!originAllowed(c.req.header('Origin') ?? null, c.var.settings.allowedOrigins)) return originRefused();
  if (!MEDIA_TYPE.test(c.req.header('Content-Type') ?? ''))
    return refusal('unsupported_media_type', 'Content-Type must be text/plain or application/json, in UTF-8');

  const body = await readBody(c.req.raw, MAX_BODY_BYTES);
  if (!body.ok)
    return body.reason === 'too_large'
      ? refusal('too_large', `the body must be at most ${MAX_BODY_BYTES} bytes`)
      : refusal('invalid_batch', 'the body must be UTF-8');

  const parsed = parseBatch(body.text);
  if (!parsed.ok) return refusal('invalid_batch', parsed.message);

  const { good, rejected } = checkBatch(parsed.batch, Date.now());
  const { accepted, duplicates } =
    good.length > 0
      ? await outbox(c.env).ingest({ device: parsed.batch.device.toLowerCase(), records: good })
      : { accepted: 0, duplicates: 0 };
  const answer: Answer = { response: { status: 'queued' }, accepted, duplicates, rejected };
  return Response.json(answer, { status: 202 });
}

async function reportStatus(c: Context<Relay>): Promise<Response> {
  const allowed = await isOperator(c.req.header('Authorization') ?? null, c.env.ADMIN_TOKEN);
  // As if it were not there: the door of an operator is nobody else's business.
  if (!allowed) return refusal('not_found', 'there is nothing here');
  return Response.json({ version: VERSION, backlog: await outbox(c.env).backlog() });
}

function outbox(env: Env): DurableObjectStub<Outbox> {
  // Named for the number of outboxes and its own: another number means other objects, and these still drain.
  return env.OUTBOX.getByName('1/0');
}

function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': 'Content-Type',
      'Access-Control-Max-Age': String(PREFLIGHT_MAX_AGE_S),
    },
  });
}

const originRefused = () =>
  refusal('origin_not_allowed', 'this origin may not send here: it is not in ALLOWED_ORIGINS');

const unavailable = (message: string) =>
  refusal('unavailable', message, { 'Retry-After': String(UNAVAILABLE_RETRY_AFTER_S) });

const relay = createRelay();

export { Outbox } from './outbox.ts';
export { RateGate } from './rate-gate.ts';

export default {
  fetch: relay.fetch,
  /** The watchdog: an alarm that the platform has given up is set again. */
  scheduled: (_controller, env) => outbox(env).wake(),
} satisfies ExportedHandler<Env>;
