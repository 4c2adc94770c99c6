import { VERSION } from '../../contract/version.ts';
import { askAgain } from '../durable-objects/ask-again.ts';
import type { Env } from '../durable-objects/env.ts';
import { PROBE } from '../durable-objects/outbox.ts';
import { outboxesInUse, outboxNamed } from '../durable-objects/outbox-directory.ts';
import { gateOf } from '../durable-objects/rate-gate.ts';
import type { RelaySettings } from '../settings/settings.ts';
import { logFault } from '../telemetry/log.ts';

// The door to `/health` is open to all: however often it is asked, the objects are not asked more often than so.
const KNOWN_FOR_MS = 5_000;

/** What keeps records from being taken, or from leaving, and what to do about it. */
type Trouble = {
  /** `broken`: the relay can't run as it is deployed. `held`: WebEngage refuses everything. */
  readonly status: 'broken' | 'held' | 'stale' | 'full';
  readonly message: string;
  /** Since when, in ms, where that is known. */
  readonly since?: number;
};

/** Answers that the Worker runs, and no more than that: for a probe that restarts what does not. */
export const reportLive = (): Response => Response.json({ status: 'ok', version: VERSION });

/**
 * Answers whether records are taken, and leave: 200; or 503 with what to put right. What was taken is kept either way.
 */
export function health(): (env: Env, settings: RelaySettings, now: number) => Promise<Response> {
  let known: { readonly trouble: Trouble | undefined; readonly until: number } | undefined;
  return async (env, settings, now) => {
    if (known === undefined || known.until <= now)
      known = { trouble: await troubleOf(env, settings, now), until: now + KNOWN_FOR_MS };
    const { trouble } = known;
    if (trouble === undefined) return reportLive();
    const { status, message, since } = trouble;
    const told = {
      status,
      version: VERSION,
      ...(since && { since: new Date(since).toISOString() }),
      message,
    };
    return Response.json(told, { status: 503 });
  };
}

async function troubleOf(env: Env, settings: RelaySettings, now: number): Promise<Trouble | undefined> {
  const unbound = (['OUTBOX', 'RATE_GATE'] as const).filter(
    (name) => typeof env[name]?.getByName !== 'function',
  );
  if (unbound.length > 0)
    return {
      status: 'broken',
      message: `${unbound.join(' and ')} is no Durable Object: bind it under durable_objects in wrangler.jsonc, with a compatibility_date no older than the package's, and deploy`,
    };
  try {
    const { held } = await askAgain(async () => gateOf(env).status());
    if (held !== null) return { status: 'held', message: heldMessage(held.status), since: held.since };
  } catch (error) {
    return unreachable('the rate gate', error);
  }
  try {
    await askAgain(async () => outboxNamed(env, PROBE).probe());
    const inUse = await askAgain(async () => outboxesInUse(env));
    const troubles = await Promise.all(inUse.map((name) => outboxTrouble(env, name, settings, now)));
    return troubles.find((trouble) => trouble !== undefined);
  } catch (error) {
    return unreachable('an outbox', error);
  }
}

async function outboxTrouble(
  env: Env,
  name: string,
  { healthStaleMs }: RelaySettings,
  now: number,
): Promise<Trouble | undefined> {
  try {
    const { waitingSince, takenAt, isFull } = await askAgain(async () => outboxNamed(env, name).health());
    if (isFull)
      return {
        status: 'full',
        message: `outbox ${name} is full: raise MAX_BACKLOG or OUTBOX_SHARDS, or deal with its dead letters at /admin/. Browsers keep their records, none is lost.`,
      };
    const since = Math.max(waitingSince ?? now, takenAt);
    if (now - since < healthStaleMs) return undefined;
    return {
      status: 'stale',
      message: `records wait in outbox ${name}, and WebEngage has taken none for ${Math.round((now - since) / 1000)} s: see /admin/ for what it answers, and whether its status page reports an outage. Records are kept, none is lost.`,
      since,
    };
  } catch (error) {
    return unreachable(`outbox ${name}`, error);
  }
}

function unreachable(what: string, error: unknown): Trouble {
  logFault('health_failed', error);
  return {
    status: 'broken',
    message: `${what} does not answer: see the log. If it never has, its class must be listed under new_sqlite_classes in the migrations of wrangler.jsonc, and the compatibility_date be no older than the package's.`,
  };
}

const heldMessage = (status: number) =>
  `WebEngage answers ${status} to every call: check the API key, its permissions, WEBENGAGE_LICENSE_CODE and WEBENGAGE_REGION. Records are kept, none is lost.`;
