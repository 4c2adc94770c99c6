import { VERSION } from '../../contract/version.ts';
import { askAgain } from '../durable-objects/ask-again.ts';
import type { Env } from '../durable-objects/env.ts';
import { PROBE } from '../durable-objects/outbox.ts';
import { outboxesInUse, outboxesOf, outboxNamed } from '../durable-objects/outbox-directory.ts';
import { type GateStatus, gateOf } from '../durable-objects/rate-gate.ts';
import type { QueueHealth } from '../queue/status.ts';
import type { RelaySettings } from '../settings/settings.ts';
import { logFault } from '../telemetry/log.ts';
import { ANSWER_HEADERS } from './headers.ts';

// The door to `/health` is open to all: however often it is asked, the objects are not asked more often than so.
const KNOWN_FOR_MS = 5_000;

// One that does not answer by then does not answer.
const ANSWERS_WITHIN_MS = 10_000;

/** What keeps records from being taken, or from leaving, and what to do about it. */
type Trouble = {
  /** `broken`: the relay can't run as it is deployed. `held`: WebEngage refuses everything. */
  readonly status: 'broken' | 'held' | 'stale' | 'full' | 'silent';
  readonly message: string;
  /** Since when, in ms, where that is known. */
  readonly since?: number;
};

/** Answers that the Worker runs, and no more than that: for a probe that restarts what does not. */
export const reportLive = (): Response =>
  Response.json({ status: 'ok', version: VERSION }, { headers: ANSWER_HEADERS });

/**
 * Answers whether records are taken, and leave: 200; or 503 with what to put right. What was taken is kept either way.
 */
export function health(): (env: Env, settings: RelaySettings, now: () => number) => Promise<Response> {
  let known: Trouble | undefined;
  let knownUntil = 0;
  // Outboxes that did not answer the last time: once may be a deploy that is not through yet.
  let silent: ReadonlySet<string> = new Set();
  return async (env, settings, now) => {
    if (knownUntil <= now()) {
      // Those who come meanwhile are told what was known before.
      knownUntil = now() + ANSWERS_WITHIN_MS;
      const found = await lookAtAll(env, settings, silent, now());
      silent = found.silent;
      known = found.trouble;
      knownUntil = now() + KNOWN_FOR_MS;
    }
    if (known === undefined) return reportLive();
    const { status, message, since } = known;
    const told = {
      status,
      version: VERSION,
      ...(since && { since: new Date(since).toISOString() }),
      message,
    };
    return Response.json(told, { status: 503 });
  };
}

type Found = { readonly trouble: Trouble | undefined; readonly silent: ReadonlySet<string> };

async function lookAtAll(
  env: Env,
  settings: RelaySettings,
  silentBefore: ReadonlySet<string>,
  now: number,
): Promise<Found> {
  const silent = new Set<string>();
  const trouble = await lookAtParts(env, settings, now, (name, error) => {
    logFault('health_failed', error);
    silent.add(name);
    return silentBefore.has(name) ? silentTrouble(name, error) : undefined;
  });
  return { trouble, silent };
}

async function lookAtParts(
  env: Env,
  settings: RelaySettings,
  now: number,
  notAnswered: (name: string, error: unknown) => Trouble | undefined,
): Promise<Trouble | undefined> {
  const unbound = (['OUTBOX', 'RATE_GATE'] as const).filter(
    (name) => typeof env[name]?.getByName !== 'function',
  );
  if (unbound.length > 0)
    return {
      status: 'broken',
      message: `${unbound.join(' and ')} is no Durable Object: bind it under durable_objects in wrangler.jsonc, with a compatibility_date no older than the package's, and deploy`,
    };
  const { jurisdiction } = settings;
  let gate: GateStatus;
  try {
    gate = await inTime(() => askAgain(async () => gateOf(env).status()));
    const probe = jurisdiction === undefined ? PROBE : `${jurisdiction}/${PROBE}`;
    await inTime(() => askAgain(async () => outboxNamed(env, probe).probe()));
  } catch (error) {
    logFault('health_failed', error);
    return {
      status: 'broken',
      message: `no object can be made: OUTBOX and RATE_GATE must be listed under new_sqlite_classes in the migrations of wrangler.jsonc, with a compatibility_date no older than the package's${jurisdiction === undefined ? '' : `; or the account has no JURISDICTION ${jurisdiction}`}. See the log.`,
    };
  }
  if (gate.held !== null)
    return { status: 'held', message: heldMessage(gate.held.status), since: gate.held.since };
  const current = new Set(outboxesOf(settings));
  const look = async (name: string): Promise<Trouble | undefined> => {
    try {
      const outbox = await inTime(() => askAgain(async () => outboxNamed(env, name).health()));
      return (
        (current.has(name) ? fullTrouble(name, outbox) : undefined) ??
        stale(name, outbox, gate, settings, now)
      );
    } catch (error) {
      return notAnswered(`outbox ${name}`, error);
    }
  };
  try {
    const troubles = await Promise.all((await outboxesInUse(env)).map(look));
    return troubles.find((trouble) => trouble !== undefined);
  } catch (error) {
    return notAnswered('the rate gate', error);
  }
}

async function inTime<T>(ask: () => Promise<T>): Promise<T> {
  const answered = new AbortController();
  const tooLate = scheduler.wait(ANSWERS_WITHIN_MS, { signal: answered.signal }).then(
    (): never => {
      throw new Error('it did not answer in time');
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([ask(), tooLate]);
  } finally {
    answered.abort();
  }
}

function fullTrouble(name: string, { full }: QueueHealth): Trouble | undefined {
  if (full === undefined) return undefined;
  const remedy =
    full === 'records'
      ? 'raise MAX_BACKLOG, or deal with its dead letters at /admin/'
      : 'its database has grown to 8 GB: deal with its dead letters at /admin/, and raise OUTBOX_SHARDS';
  return {
    status: 'full',
    message: `outbox ${name} is full: see why it does not drain; ${remedy}. Browsers keep their records, none is lost.`,
  };
}

function stale(
  name: string,
  { waiting }: QueueHealth,
  { pausedUntil }: GateStatus,
  { healthStaleMs }: RelaySettings,
  now: number,
): Trouble | undefined {
  const longest = waiting
    .map(({ kind, since, takenAt }) => ({ kind, since: Math.max(since, takenAt) }))
    .sort((a, b) => a.since - b.since)[0];
  if (longest === undefined || now - longest.since < healthStaleMs) return undefined;
  const { kind, since } = longest;
  const why =
    pausedUntil === null
      ? `see at /admin/ what it answers. If it answers nothing, look at its status page; if 403, whether the key may write ${kind}s; if there are no calls, look for relay_pass_failed in the log`
      : `it has asked to be left alone until ${new Date(pausedUntil).toISOString()} (429): who else calls for this account?`;
  return {
    status: 'stale',
    message: `${kind}s wait in outbox ${name}, and WebEngage has taken none for ${Math.round((now - since) / 1000)} s: ${why}. Records are kept, none is lost.`,
    since,
  };
}

function silentTrouble(name: string, error: unknown): Trouble {
  const { overloaded } = Object(error) as { overloaded?: unknown };
  return {
    status: 'silent',
    message:
      overloaded === true
        ? `${name} has more to do than it can: raise OUTBOX_SHARDS. Browsers keep their records.`
        : `${name} does not answer, again: see health_failed in the log. Browsers keep their records.`,
  };
}

const heldMessage = (status: number) =>
  `WebEngage answers ${status} to every call: check the API key, its permissions, WEBENGAGE_LICENSE_CODE and WEBENGAGE_REGION. Records are kept, none is lost.`;
