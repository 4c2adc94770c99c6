import {
  array,
  boolean,
  type InferOutput,
  nullable,
  number,
  object,
  optional,
  picklist,
  safeParse,
  string,
} from 'valibot';
import { MINUTE_MS } from '../../pacing/minute.ts';
import { bad, type Check, good, unsure } from './check.ts';
import type { Reply } from './probe.ts';

// The part of /admin/status that is used here. A relay of another version may answer with more.
const statusSchema = object({
  at: number(),
  backlog: object({ records: number(), oldestAgeMs: number(), growthPerMinute: number() }),
  deadLetters: number(),
  gate: object({
    requestsPerMinute: number(),
    pausedUntil: nullable(number()),
    suspension: nullable(object({ status: number(), since: number() })),
    key: picklist(['primary', 'secondary']),
  }),
  minutes: array(object({ at: number(), calls: number() })),
  totals: object({ taken: number() }),
  // A relay of an earlier version has none.
  alerts: optional(
    object({
      active: array(object({ title: string(), link: string() })),
      destinations: array(
        object({ last: nullable(object({ at: number(), delivered: boolean(), status: number() })) }),
      ),
    }),
  ),
  shards: array(object({ name: string(), full: boolean(), unreachable: boolean() })),
});

type Status = InferOutput<typeof statusSchema>;

/**
 * How a relay stands, by what it tells its operator.
 *
 * @param isHere it runs on this machine
 */
export function standing(reply: Reply, isHere: boolean): readonly Check[] {
  if (!reply.ok) return [bad('admin', `/admin/status does not answer (${reply.code})`, 'try again')];
  if (reply.status === 404)
    return [
      bad(
        'admin',
        '/admin does not accept the token',
        isHere
          ? 'use the token that npx webengage-relay dev printed'
          : 'run npx wrangler secret put ADMIN_TOKEN with 32 random characters or more, and use the same here',
      ),
    ];
  const status = statusOf(reply.body);
  if (reply.status !== 200 || status === undefined)
    return [
      unsure('admin', `/admin/status answers ${reply.status}, which is not as expected`, 'see /health'),
    ];
  const known = [backlog(status), deadLetters(status), key(status), pace(status), outboxes(status)];
  // A relay in development needs no alerts.
  return isHere ? known : [...known, ...alerts(status)];
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
  if (records === 0) return good('backlog', 'no records are waiting');
  const says = `${count(records, 'record')} ${records === 1 ? 'waits' : 'wait'}, the oldest for ${Math.round(oldestAgeMs / 1000)} s`;
  if (oldestAgeMs <= MINUTE_MS) return good('backlog', says);
  return growthPerMinute < 0
    ? unsure('backlog', `${says}; the backlog shrinks by ${-growthPerMinute} a minute`, 'no action needed')
    : unsure('backlog', says, 'see "late" in the repository\'s docs/guides/runbooks.md');
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

function key({ gate: { suspension, key }, totals: { taken } }: Status): Check {
  if (suspension !== null)
    return bad(
      'key',
      `WebEngage has answered ${suspension.status} to every call since ${new Date(suspension.since).toISOString()}; the relay keeps all records`,
      suspension.status === 401 || suspension.status === 403
        ? 'run npx wrangler secret put WEBENGAGE_API_KEY'
        : 'set WEBENGAGE_LICENSE_CODE and WEBENGAGE_REGION in wrangler.jsonc, and run npx wrangler deploy',
    );
  if (taken === 0)
    return unsure(
      'key',
      'WebEngage has accepted no call yet, so the key is unproven',
      'send a record from one of your pages',
    );
  return key === 'primary'
    ? good('key', 'WebEngage accepts the key')
    : unsure(
        'key',
        'WebEngage accepts the secondary key, but not the primary one',
        'run npx wrangler secret put WEBENGAGE_API_KEY with a valid key',
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
        `${says}; paused until ${new Date(pausedUntil).toISOString()}, after WebEngage answered 429`,
        'if this keeps happening, check what else uses the limit of this account',
      );
}

function outboxes({ shards }: Status): Check {
  const names = (of: 'full' | 'unreachable') => shards.filter((shard) => shard[of]).map(({ name }) => name);
  const [full, unreachable] = [names('full'), names('unreachable')];
  if (full.length > 0)
    return bad(
      'outboxes',
      `full: ${full.join(', ')}; browsers keep their records`,
      'find out why it does not drain, replay or discard dead letters, or raise MAX_BACKLOG',
    );
  return unreachable.length > 0
    ? unsure('outboxes', `not answering: ${unreachable.join(', ')}`, 'try again; their records are safe')
    : good(
        'outboxes',
        `${shards.length === 1 ? 'the outbox accepts' : `all ${shards.length} outboxes accept`} records`,
      );
}

function alerts({ alerts }: Status): readonly Check[] {
  if (alerts === undefined) return [];
  const [first] = alerts.active;
  if (first !== undefined)
    return [unsure('alerts', `active: ${titlesOf(alerts.active)}`, `see ${first.link}`)];
  const { destinations } = alerts;
  if (destinations.length === 0)
    return [unsure('alerts', 'no alerts are sent', 'run npx wrangler secret put ALERT_WEBHOOK')];
  const failed = destinations.find(({ last }) => last?.delivered === false)?.last;
  return [
    failed
      ? unsure(
          'alerts',
          `the last message was not delivered (${failed.status === 0 ? 'no answer' : failed.status})`,
          'send a test at /admin/, and correct ALERT_WEBHOOK',
        )
      : good('alerts', `no alert is active; ${count(destinations.length, 'receiver')}`),
  ];
}

const titlesOf = (active: readonly { readonly title: string }[]): string =>
  active.map(({ title }) => title).join('; ');

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
