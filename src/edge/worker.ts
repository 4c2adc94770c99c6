import { type Context, Hono } from 'hono';
import type { Answer } from '../contract/answer.ts';
import { MAX_BODY_BYTES } from '../contract/batch.ts';
import { readBody } from './body.ts';
import { checkBatch, parseBatch } from './check.ts';
import type { Env, Relay } from './env.ts';
import { health } from './health.ts';
import { logFault, logLimited } from './log.ts';
import { markOf, networkOf } from './network.ts';
import { operatorRoutes } from './operator.ts';
import { corsHeaders, originAllowed } from './origin.ts';
import { outboxNamed, wakeAll } from './outboxes.ts';
import { type Limited, type Quotas, quotas } from './quotas.ts';
import { refusal } from './refusal.ts';
import { isLoopback, originsOf, readSettings } from './settings.ts';
import { shardOf } from './shards.ts';
import { type Shedding, shedding } from './shedding.ts';

// What `fetch` sends by itself for a string, and what a server would. Nothing else is JSON.
const MEDIA_TYPE = /^(text\/plain|application\/json)\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

// How long a browser may remember a preflight's answer; browsers cut it to two hours or less.
const PREFLIGHT_MAX_AGE_S = 7_200;

const UNAVAILABLE_RETRY_AFTER_S = 10;

// A full backlog takes its time to drain; browsers hold what they have meanwhile.
const FULL_RETRY_AFTER_S = 60;

const LIMITED_RETRY_AFTER_MS = 5_000;

/**
 * The relay's routes: the only public door. For those who build a Worker of their own around it:
 * `export { Outbox, RateGate } from 'webengage-relay/edge'` beside it, and bind both as wrangler.jsonc does.
 */
export function createRelay(): Hono<Relay> {
  const app = new Hono<Relay>();
  const door: Door = { ...shedding(), ...quotas(logLimited) };
  const reportHealth = health();

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
  app.post('/v1/batch', (c) => acceptBatch(c, door));
  app.all('/v1/batch', () => refusal('method_not_allowed', 'batches are posted', { Allow: 'POST, OPTIONS' }));
  app.get('/health', (c) => reportHealth(c.env, Date.now()));
  app.route('/admin', operatorRoutes());
  app.notFound(() => refusal('not_found', 'there is nothing here'));
  app.onError((error) => {
    logFault('request_failed', error);
    return unavailable('try again later');
  });
  return app;
}

type Door = Shedding & Quotas;

async function acceptBatch(c: Context<Relay>, door: Door): Promise<Response> {
  const { settings } = c.var;
  const limited = (over: keyof Limited, retryInMs: number): Response => {
    door.count(over, Date.now());
    return rateLimited(retryInMs);
  };
  if (!originAllowed(c.req.header('Origin') ?? null, settings.allowedOrigins)) return originRefused();
  // Cloudflare sets it on whatever comes in from outside. Without it nobody is known: all would be one sender.
  const address = c.req.header('CF-Connecting-IP');
  const network = address && networkOf(address);
  if (network && !(await door.allowsNetwork(network, c.env.ADDRESS_LIMIT, Date.now())))
    return limited('address', LIMITED_RETRY_AFTER_MS);
  if (!MEDIA_TYPE.test(c.req.header('Content-Type') ?? ''))
    return refusal('unsupported_media_type', 'Content-Type must be text/plain or application/json, in UTF-8');

  const body = await readBody(c.req.raw, MAX_BODY_BYTES);
  if (!body.ok)
    return body.reason === 'too_large'
      ? refusal('too_large', `the body must be at most ${MAX_BODY_BYTES} bytes`)
      : refusal('invalid_batch', 'the body must be UTF-8');

  const parsed = parseBatch(body.text);
  if (!parsed.ok) return refusal('invalid_batch', parsed.message);

  const device = parsed.batch.device.toLowerCase();
  const name = shardOf(device, settings.shards);
  if (door.isShedding(name, Date.now())) return full();
  const overQuota = door.refusesBrowser(device, Date.now());
  if (overQuota !== undefined) return limited(overQuota.over, overQuota.retryInMs);

  const { good, rejected, expired } = checkBatch(parsed.batch, Date.now());
  const refused = { expired, rejected: rejected.length - expired };
  try {
    const sender = { device, ...(network && { network: await markOf(network, settings.apiKeys.primary) }) };
    const receipt = await outboxNamed(c.env, name).ingest(name, { ...sender, records: good, refused });
    if (receipt.stored) return accepted(receipt, rejected);
    if (receipt.retryInMs !== undefined) {
      door.rest(device, receipt.retryInMs, Date.now());
      return limited('share', receipt.retryInMs);
    }
  } catch (error) {
    // So does the platform say that an object has more to do than it can: asking again only adds to it.
    if (!(error instanceof Error && 'overloaded' in error && error.overloaded)) throw error;
  }
  door.shed(name, Date.now());
  return full();
}

function accepted(counts: Pick<Answer, 'accepted' | 'duplicates'>, rejected: Answer['rejected']): Response {
  const { accepted, duplicates } = counts;
  const answer: Answer = { response: { status: 'queued' }, accepted, duplicates, rejected };
  return Response.json(answer, { status: 202 });
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

const full = () =>
  refusal('unavailable', 'the relay is full: keep the records, and send them later', {
    'Retry-After': String(FULL_RETRY_AFTER_S),
  });

/** With a spread of as much again, so that not all who wait come back in one moment. */
const rateLimited = (retryInMs: number) =>
  refusal('rate_limited', 'this sender is over its quota: keep the records, and send them later', {
    'Retry-After': String(Math.ceil((retryInMs / 1000) * (1 + Math.random()))),
  });

const relay = createRelay();

export type { Env } from './env.ts';
export { Outbox } from './outbox.ts';
export { RateGate } from './rate-gate.ts';

export default {
  fetch: relay.fetch,
  /** The watchdog: looks after every outbox whose alarm the platform has given up. */
  scheduled: async (_controller, env) => {
    const read = readSettings(env);
    if (read.ok) await wakeAll(env, read.settings);
  },
} satisfies ExportedHandler<Env>;
