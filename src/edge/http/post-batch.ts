import type { Context } from 'hono';
import type { Answer } from '../../contract/answer.ts';
import { MAX_BODY_BYTES } from '../../contract/batch.ts';
import type { TrackerRecord } from '../../contract/record.ts';
import type { Breach } from '../../plan/off-plan.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Authorized } from '../auth/authorize-users.ts';
import type { AuthorizeUsers } from '../auth/identity.ts';
import { type Sender, senderOf } from '../auth/sender.ts';
import { TOKEN_FAULTS, type TokenFault } from '../auth/token-fault.ts';
import type { Relay } from '../durable-objects/env.ts';
import { outboxNamed } from '../durable-objects/outbox-directory.ts';
import { withRetry } from '../durable-objects/with-retry.ts';
import { type MarkOf, networkMarks, networkOf } from '../limits/client-network.ts';
import { type LoadShedding, loadShedding } from '../limits/load-shedding.ts';
import { type SenderLimits, senderLimits } from '../limits/sender-limits.ts';
import type { Receipt } from '../queue/ingest.ts';
import { toRuns } from '../queue/run.ts';
import { shardOf } from '../settings/shards.ts';
import { type Limited, logLimited, logOffPlan, logTokensRefused } from '../telemetry/log.ts';
import { type Observer, observer } from '../telemetry/observer.ts';
import { type Counts, throttledCount } from '../telemetry/throttled-count.ts';
import { type ReadBody, readBody } from './body.ts';
import { enforcePlan } from './enforce-plan.ts';
import { observed } from './observed.ts';
import { refusal } from './responses.ts';
import { checkBatch, parseBatch } from './validate-batch.ts';

// The type that `fetch` sends for a string, and the type a server would send. All others are refused.
const MEDIA_TYPE = /^(text\/plain|application\/json)\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

// A tracker gives up a request after 15 s. A slower body would only occupy a connection.
const BODY_TIMEOUT_MS = 10_000;

// A full backlog takes time to drain. Browsers keep their records meanwhile.
const FULL_RETRY_AFTER_S = 60;

const LIMITED_RETRY_AFTER_MS = 5_000;

/** State that one isolate of the Worker keeps between batches. */
type Known = LoadShedding &
  SenderLimits &
  Observer & {
    readonly countRefused: (faults: Counts<TokenFault>, now: number) => void;
    readonly countOffPlan: (breaches: Counts<Breach>, now: number) => void;
    readonly markOf: MarkOf;
  };

/**
 * The ingest endpoint, for one isolate of the Worker. It checks the sender, the quotas, the records and their
 * users before it calls the outbox. Answers 202 after the accepted records are stored.
 *
 * @param plan the tracking plan, if there is one
 */
export function batchDoor(plan: Plan | undefined): (c: Context<Relay>) => Promise<Response> {
  const known: Known = {
    ...loadShedding(),
    ...senderLimits(logLimited),
    ...observer(),
    countRefused: throttledCount(logTokensRefused),
    countOffPlan: throttledCount(logOffPlan),
    markOf: networkMarks(),
  };
  return observed(known, (c) => acceptBatch(c, known, plan));
}

async function acceptBatch(c: Context<Relay>, known: Known, plan: Plan | undefined): Promise<Response> {
  const { settings } = c.var;
  const limited = (over: keyof Limited, retryInMs: number): Response => {
    known.count(over, Date.now());
    return rateLimited(retryInMs);
  };
  const sender = await senderOf(c.req.raw.headers, settings);
  if (sender.kind === 'refused') return refusal(sender.code, sender.message);
  // Cloudflare sets it on every request from outside. Without it no limit applies: all senders would look like one.
  const address = c.req.header('CF-Connecting-IP');
  const network = address && networkOf(address);
  if (network && !(await known.allowsNetwork(network, c.env.ADDRESS_LIMIT, Date.now())))
    return limited('address', LIMITED_RETRY_AFTER_MS);
  if (!MEDIA_TYPE.test(c.req.header('Content-Type') ?? ''))
    return refusal('unsupported_media_type', 'Content-Type must be text/plain or application/json, in UTF-8');

  if (!/^(identity)?$/i.test(c.req.header('Content-Encoding') ?? ''))
    return refusal('unsupported_media_type', 'Content-Encoding must be left out: send the body uncompressed');

  const body = await readBody(c.req.raw, MAX_BODY_BYTES, AbortSignal.timeout(BODY_TIMEOUT_MS));
  if (!body.ok) return bodyRefused(body.reason);

  const parsed = parseBatch(body.text);
  if (!parsed.ok) return refusal(parsed.code, parsed.message);

  const device = parsed.batch.device.toLowerCase();
  const name = shardOf(device, settings.shards, settings.jurisdiction);
  if (known.isShedding(name, Date.now())) return full();
  const overQuota = known.refusesBrowser(device, Date.now());
  if (overQuota !== undefined) return limited(overQuota.over, overQuota.retryInMs);

  const arrival = { sender: sender.kind, now: Date.now() };
  const { good, rejected: offContract, repaired, expired } = checkBatch(parsed, arrival);
  // Before the outbox is called: an unauthorized sender must not learn which of a user's records are stored.
  const authorized = await authorize(sender, c.var.authorizeUsers, good, parsed.batch.token);
  if (!authorized.ok) {
    known.countRefused({ [authorized.fault]: 1 }, Date.now());
    return refusal('invalid_token', TOKEN_FAULTS[authorized.fault]);
  }
  const { unverified } = authorized;
  const enforced = enforcePlan(good, plan, c.var.planMode);
  known.countOffPlan(enforced.breaches, Date.now());
  const rejected = [...offContract, ...enforced.rejected];
  const refused = { expired, rejected: rejected.length - expired };
  try {
    const from = {
      device,
      ...(network && { network: await known.markOf(network, settings.apiKeys.primary) }),
    };
    const delivery = {
      ...from,
      runs: toRuns(enforced.kept),
      refused,
      unverified,
      violations: enforced.violations,
    };
    const receipt = await known.carry<Receipt>((seen) =>
      withRetry(async () => outboxNamed(c.env, name).ingest(name, delivery, seen)),
    );
    if (receipt.stored) return accepted(receipt, { rejected, repaired });
    if (receipt.retryInMs !== undefined) {
      known.rest(device, receipt.retryInMs, Date.now());
      return limited('share', receipt.retryInMs);
    }
  } catch (error) {
    // The platform says that the object is overloaded. A retry would only add to its load.
    if (!(error instanceof Error && 'overloaded' in error && error.overloaded)) throw error;
  }
  known.shed(name, Date.now());
  return full();
}

/** Your own server may send for any of your users: it authenticates with the server token. */
async function authorize(
  sender: Extract<Sender, { kind: 'page' | 'server' }>,
  authorizeUsers: AuthorizeUsers,
  records: readonly TrackerRecord[],
  token: string | undefined,
): Promise<Authorized> {
  return sender.kind === 'server'
    ? { ok: true, unverified: false }
    : authorizeUsers(records, token, Date.now());
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

function accepted(
  { accepted, duplicates }: Pick<Answer, 'accepted' | 'duplicates'>,
  reported: Pick<Answer, 'rejected' | 'repaired'>,
): Response {
  const answer: Answer = {
    response: { status: 'queued' },
    accepted,
    duplicates,
    ...reported,
    now: Date.now(),
  };
  return Response.json(answer, { status: 202 });
}

const full = () =>
  refusal('unavailable', 'the relay is full: keep the records, and send them later', {
    'Retry-After': String(FULL_RETRY_AFTER_S),
  });

/** Adds up to 100 % at random, so that waiting senders do not all come back at the same moment. */
const rateLimited = (retryInMs: number) =>
  refusal('rate_limited', 'this sender is over its quota: keep the records, and send them later', {
    'Retry-After': String(Math.ceil((retryInMs / 1000) * (1 + Math.random()))),
  });
