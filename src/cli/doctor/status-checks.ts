import {
  array,
  boolean,
  type InferOutput,
  nullable,
  number,
  object,
  picklist,
  safeParse,
  string,
} from 'valibot';
import { MINUTE_MS } from '../../pacing/minute.ts';
import { bad, type Check, good, unsure } from './check.ts';
import type { Reply } from './probe.ts';

// What is read of /admin/status here; a relay of another version may tell more.
const statusSchema = object({
  at: number(),
  backlog: object({ records: number(), oldestAgeMs: number(), growthPerMinute: number() }),
  deadLetters: number(),
  gate: object({
    requestsPerMinute: number(),
    pausedUntil: nullable(number()),
    held: nullable(object({ status: number(), since: number() })),
    key: picklist(['primary', 'secondary']),
  }),
  minutes: array(object({ at: number(), calls: number() })),
  totals: object({ taken: number() }),
  shards: array(object({ name: string(), full: boolean(), unreachable: boolean() })),
});

type Status = InferOutput<typeof statusSchema>;

/** How a relay stands, by what it tells its operator. */
export function standing(reply: Reply): readonly Check[] {
  if (!reply.ok) return [bad('admin', `/admin/status does not answer (${reply.code})`, 'try again')];
  if (reply.status === 404)
    return [
      bad(
        'admin',
        'the token does not open /admin',
        'npx wrangler secret put ADMIN_TOKEN, with 32 random characters or more, and the same here',
      ),
    ];
  const status = statusOf(reply.body);
  if (reply.status !== 200 || status === undefined)
    return [unsure('admin', `/admin/status answers ${reply.status}, and not as expected`, 'see /health')];
  return [backlog(status), deadLetters(status), key(status), pace(status), outboxes(status)];
}

function statusOf(body: string): Status | undefined {
  try {
    const { success, output } = safeParse(statusSchema, JSON.parse(body));
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}

function backlog({ backlog: { records, oldestAgeMs, growthPerMinute } }: Status): Check {
  if (records === 0) return good('backlog', 'no record waits');
  const says = `${count(records, 'record')} ${records === 1 ? 'waits' : 'wait'}, the oldest for ${Math.round(oldestAgeMs / 1000)} s`;
  if (oldestAgeMs <= MINUTE_MS) return good('backlog', says);
  return growthPerMinute < 0
    ? unsure('backlog', `${says}; it drains by ${-growthPerMinute} a minute`, 'nothing: it goes on by itself')
    : unsure('backlog', says, 'see docs/guides/operating.md, "What it says"');
}

function deadLetters({ deadLetters }: Status): Check {
  return deadLetters === 0
    ? good('dead-letters', 'no dead letters')
    : unsure(
        'dead-letters',
        `${count(deadLetters, 'dead letter')}, which WebEngage refused`,
        'read them at /admin/, and replay or discard them',
      );
}

function key({ gate: { held, key }, totals: { taken } }: Status): Check {
  if (held !== null)
    return bad(
      'key',
      `WebEngage answers ${held.status} to every call since ${new Date(held.since).toISOString()}; records are kept`,
      held.status === 401 || held.status === 403
        ? 'npx wrangler secret put WEBENGAGE_API_KEY'
        : 'set WEBENGAGE_LICENSE_CODE and WEBENGAGE_REGION in wrangler.jsonc, and npx wrangler deploy',
    );
  if (taken === 0)
    return unsure(
      'key',
      'WebEngage has taken no call yet: nothing proves the key',
      'send a record from a page of yours',
    );
  return key === 'primary'
    ? good('key', 'WebEngage takes the key')
    : unsure(
        'key',
        'WebEngage takes the secondary key, not the first',
        'npx wrangler secret put WEBENGAGE_API_KEY, with one that is valid',
      );
}

function pace({ at, minutes, gate: { requestsPerMinute, pausedUntil } }: Status): Check {
  const whole = at - (at % MINUTE_MS) - MINUTE_MS;
  const calls = minutes.find((minute) => minute.at === whole)?.calls ?? 0;
  const says = `${calls} of ${requestsPerMinute} calls in the last whole minute`;
  return pausedUntil === null
    ? good('pace', says)
    : unsure(
        'pace',
        `${says}; paused until ${new Date(pausedUntil).toISOString()}: WebEngage said 429`,
        'if it comes again and again: who else calls for this account?',
      );
}

function outboxes({ shards }: Status): Check {
  const names = (of: 'full' | 'unreachable') => shards.filter((shard) => shard[of]).map(({ name }) => name);
  const [full, unreachable] = [names('full'), names('unreachable')];
  if (full.length > 0)
    return bad(
      'outboxes',
      `full: ${full.join(', ')}; browsers keep their records`,
      'see why it does not drain, deal with the dead letters, or raise MAX_BACKLOG',
    );
  return unreachable.length > 0
    ? unsure('outboxes', `without an answer: ${unreachable.join(', ')}`, 'try again; their records are kept')
    : good(
        'outboxes',
        `${shards.length === 1 ? 'the outbox takes' : `all ${shards.length} outboxes take`} records`,
      );
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
