import { type Batch, MAX_BODY_BYTES } from '../../contract/batch.ts';
import type { Issue } from '../../contract/issue.ts';
import type { TrackerRecord } from '../../contract/record.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Authorized } from '../auth/authorize-users.ts';
import { type BotCount, type BotSign, botSign, type CloudflareSigns } from '../auth/bot.ts';
import type { AuthorizeUsers } from '../auth/identity.ts';
import { type Sender, senderOf } from '../auth/sender.ts';
import { TOKEN_FAULTS, type TokenFault } from '../auth/token-fault.ts';
import type { Env, Relay } from '../durable-objects/env.ts';
import { type MarkOf, networkMarks, networkOf } from '../limits/client-network.ts';
import { type SenderLimits, senderLimits } from '../limits/sender-limits.ts';
import type { Receipt } from '../queue/ingest.ts';
import { shardOf } from '../settings/shards.ts';
import { logBots, logLimited, logTokensRefused } from '../telemetry/log.ts';
import type { RefusedBatch } from '../telemetry/observations.ts';
import type { Counts } from '../telemetry/throttled-count.ts';
import { type ReadBody, readBody } from './body.ts';
import { observed } from './observed.ts';
import { reasonOf, refusal } from './responses.ts';
import { sharedCount } from './shared-count.ts';
import { answerOf, type Intake, intake, planBatch, storeDelivery } from './take-batch.ts';
import { checkBatch, parseBatch, rejectAll } from './validate-batch.ts';

// The type that `fetch` sends for a string, and the type a server would send. All others are refused.
const MEDIA_TYPE = /^(text\/plain|application\/json)\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

// A tracker gives up a request after 15 s. A slower body would only occupy a connection.
const BODY_TIMEOUT_MS = 10_000;

// A full backlog takes time to drain. Browsers keep their records meanwhile.
const FULL_RETRY_AFTER_S = 60;

const LIMITED_RETRY_AFTER_MS = 5_000;

/** Why a batch was refused for its token: a fault of its identity token, or a wrong token of a server. */
type RefusedToken = TokenFault | 'server_token';

/** A request with a batch, and what the settings say of it. */
export type Posted = Relay['Variables'] & {
  readonly request: Request;
  readonly env: Env;
  readonly ctx: { readonly waitUntil: (promise: Promise<unknown>) => void };
};

/** State that one isolate of the Worker keeps between batches. */
type Known = Intake &
  SenderLimits & {
    readonly countRefused: (from: Posted, faults: Counts<RefusedToken>, now: number) => void;
    readonly countBots: (from: Posted, records: Counts<BotCount>, now: number) => void;
    readonly markOf: MarkOf;
  };

/**
 * The ingest endpoint, for one isolate of the Worker. It checks the sender, the quotas, the records and their
 * users before it calls the outbox. Answers 202 after the accepted records are stored.
 *
 * @param plan the tracking plan; undefined for a relay without one
 */
export function batchDoor(plan: Plan | undefined): (posted: Posted) => Promise<Response> {
  const known: Known = {
    ...intake(),
    ...senderLimits(logLimited),
    countRefused: sharedCount('tokens_refused', logTokensRefused),
    countBots: sharedCount('bots', logBots),
    markOf: networkMarks(),
  };
  return (posted) =>
    observed(known, { ...posted, now: Date.now }, () => acceptBatch(posted, known, plan), refusalOf);
}

/** What is thrown is answered with 503. */
function refusalOf(outcome: PromiseSettledResult<Response>): RefusedBatch | undefined {
  const status = outcome.status === 'fulfilled' ? outcome.value.status : 503;
  return status === 202 ? undefined : reasonOf(status);
}

async function acceptBatch(posted: Posted, known: Known, plan: Plan | undefined): Promise<Response> {
  const { request, env, settings } = posted;
  const sender = await senderOf(request.headers, settings);
  if (sender.kind === 'refused') {
    if (sender.code === 'invalid_token') known.countRefused(posted, { server_token: 1 }, Date.now());
    return refusal(sender.code, sender.message);
  }
  // Cloudflare sets it on every request from outside. Without it no limit applies: all senders would look like one.
  const address = sender.kind === 'page' ? request.headers.get('CF-Connecting-IP') : null;
  const network = address && networkOf(address);
  if (network && !(await known.allowsNetwork(network, env.ADDRESS_LIMIT, Date.now()))) {
    known.count('address', Date.now());
    return rateLimited(LIMITED_RETRY_AFTER_MS);
  }
  const body = await readText(request);
  if (!body.ok) return body.refusal;

  const parsed = parseBatch(body.text, sender.kind);
  if (!parsed.ok) return refusal(parsed.code, parsed.message);

  const bot = sender.kind === 'page' ? signOf(posted, parsed.batch) : undefined;
  if (bot !== undefined && settings.bots === 'refuse') return refuseBot(posted, parsed.batch, bot, known);

  const device = parsed.batch.device.toLowerCase();
  const outbox = shardOf(device, settings.shards, settings.jurisdiction);
  if (known.isShedding(outbox, Date.now())) return full(sender, known);
  const overQuota = sender.kind === 'page' ? known.refusesBrowser(device, Date.now()) : undefined;
  if (overQuota !== undefined) {
    known.count(overQuota.over, Date.now());
    return rateLimited(overQuota.retryInMs);
  }
  const checked = checkBatch(parsed, { sender: sender.kind, now: Date.now() });
  // Before the outbox is called: an unauthorized sender must not learn which of a user's records are stored.
  const authorized = await authorize(sender, posted.authorizeUsers, checked.good, parsed.batch.token);
  if (!authorized.ok) {
    known.countRefused(posted, { [authorized.fault]: 1 }, Date.now());
    return refusal('invalid_token', TOKEN_FAULTS[authorized.fault]);
  }
  const { toStore, reported, breaches } = planBatch(checked, plan, posted.planMode);
  known.countOffPlan(breaches, Date.now());
  const from =
    sender.kind === 'server'
      ? { lane: parsed.batch.lane ?? 'server', sender: sender.name }
      : {
          lane: 'live' as const,
          ...(network && { network: await known.markOf(network, settings.apiKeys.primary) }),
        };
  const delivery = { device, ...from, ...toStore, unverified: authorized.unverified };
  const receipt = await storeDelivery(env, outbox, delivery, known);
  if (!receipt.stored) return notStored(receipt, { device, outbox }, sender, known);
  const answer = answerOf(receipt, reported);
  countRejected(sender, answer.rejected.length, known);
  // Also without a bot: what was counted within the last minute is still to be reported.
  known.countBots(
    posted,
    bot !== undefined && receipt.accepted > 0 ? { [bot]: receipt.accepted } : {},
    Date.now(),
  );
  return Response.json(answer, { status: 202 });
}

/** What shows that a page's visitor is a bot, unless the operator does not care. */
function signOf({ request, settings }: Posted, { bot }: Batch): BotSign | undefined {
  if (settings.bots === 'off') return undefined;
  const cloudflare = request.cf as CloudflareSigns | undefined;
  return botSign({ userAgent: request.headers.get('User-Agent'), isAutomated: bot, cloudflare });
}

const OF_A_BOT: Issue = { path: '', message: 'comes from a bot, and BOTS is refuse' };

/**
 * Settles all records, so that the tracker does not send them again. The page learns why: a test of your own that
 * runs in such a browser must not believe that they arrived. No outbox is called.
 */
function refuseBot(posted: Posted, batch: Batch, sign: BotSign, known: Known): Response {
  const { length } = batch.records;
  known.countBots(posted, { [sign]: length, refused: length }, Date.now());
  const reported = { rejected: rejectAll(batch, OF_A_BOT), repaired: [] };
  return Response.json(answerOf({ stored: true, accepted: 0, duplicates: 0 }, reported), { status: 202 });
}

/** The body of a request, or the answer to one that has none which the relay reads. */
async function readText(
  request: Request,
): Promise<
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly refusal: Response }
> {
  const unsupported = (message: string) =>
    ({ ok: false, refusal: refusal('unsupported_media_type', message) }) as const;
  if (!MEDIA_TYPE.test(request.headers.get('Content-Type') ?? ''))
    return unsupported('Content-Type must be text/plain or application/json, in UTF-8');
  if (!/^(identity)?$/i.test(request.headers.get('Content-Encoding') ?? ''))
    return unsupported('Content-Encoding must be left out: send the body uncompressed');
  const body = await readBody(request, MAX_BODY_BYTES, AbortSignal.timeout(BODY_TIMEOUT_MS));
  return body.ok ? body : { ok: false, refusal: bodyRefused(body.reason) };
}

type LetIn = Extract<Sender, { kind: 'page' | 'server' }>;

/** Your own server may send for any of your users: it authenticates with a token of its own. */
async function authorize(
  sender: LetIn,
  authorizeUsers: AuthorizeUsers,
  records: readonly TrackerRecord[],
  token: string | undefined,
): Promise<Authorized> {
  return sender.kind === 'server'
    ? { ok: true, unverified: false }
    : authorizeUsers(records, token, Date.now());
}

/** The answer for an outbox that has stored nothing. A browser then rests; a server has many, and none of its own. */
function notStored(
  { retryInMs }: Extract<Receipt, { stored: false }>,
  { device, outbox }: { readonly device: string; readonly outbox: string },
  sender: LetIn,
  known: Known,
): Response {
  if (retryInMs === undefined) {
    known.shed(outbox, Date.now());
    return full(sender, known);
  }
  if (sender.kind === 'server') {
    known.countServerRefused(sender.name, { limited: 1 }, Date.now());
    return rateLimited(retryInMs);
  }
  known.rest(device, retryInMs, Date.now());
  known.count('share', Date.now());
  return rateLimited(retryInMs);
}

function countRejected(sender: LetIn, rejected: number, known: Known): void {
  if (sender.kind === 'server' && rejected > 0)
    known.countServerRefused(sender.name, { rejected }, Date.now());
}

function bodyRefused(reason: Exclude<ReadBody, { ok: true }>['reason']): Response {
  switch (reason) {
    case 'too_large':
      return refusal(reason, `the body must be at most ${MAX_BODY_BYTES} bytes`);
    case 'too_slow':
      return refusal(reason, `the body must arrive within ${BODY_TIMEOUT_MS / 1000} seconds`);
    case 'not_utf8':
      return refusal('invalid_batch', 'the body must be UTF-8');
  }
}

function full(sender: LetIn, known: Known): Response {
  if (sender.kind === 'server') known.countServerRefused(sender.name, { full: 1 }, Date.now());
  return refusal('unavailable', 'the relay is full: keep the records, and send them later', {
    'Retry-After': String(FULL_RETRY_AFTER_S),
  });
}

/** Adds up to 100 % at random, so that waiting senders do not all come back at the same moment. */
const rateLimited = (retryInMs: number) =>
  refusal('rate_limited', 'this sender is over its quota: keep the records, and send them later', {
    'Retry-After': String(Math.ceil((retryInMs / 1000) * (1 + Math.random()))),
  });
