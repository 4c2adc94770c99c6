import { VERSION } from '../../contract/version.ts';
import { bindingFault } from '../durable-objects/bindings.ts';
import type { Env } from '../durable-objects/env.ts';
import { ANSWERS_WITHIN_MS, inTime } from '../durable-objects/in-time.ts';
import { outboxesInUse, outboxesOf, outboxNamed, probeOutbox } from '../durable-objects/outbox-directory.ts';
import { type GateStatus, gateOf } from '../durable-objects/rate-gate.ts';
import { withRetry } from '../durable-objects/with-retry.ts';
import { longestStall, type QueueHealth } from '../queue/status.ts';
import type { RelaySettings } from '../settings/settings.ts';
import { logFault } from '../telemetry/log.ts';
import { ANSWER_HEADERS } from './headers.ts';

// `/health` is public. However often it is requested, the objects are asked at most this often.
const KNOWN_FOR_MS = 5_000;

// How a request waits for another one's first look: as long as that may take to find an object silent.
const WAIT_MS = 100;
const FIRST_WAITS = ANSWERS_WITHIN_MS / WAIT_MS;

/** A problem that keeps records from being accepted or sent, and what to do about it. */
type Trouble = {
  /** `broken`: the relay can't run as deployed. `suspended`: WebEngage refuses everything. */
  readonly status: 'broken' | 'suspended' | 'stale' | 'full' | 'silent';
  readonly message: string;
  /** When it began, in milliseconds since 1970, if known. */
  readonly since?: number;
};

/** Only answers that the Worker runs. For a liveness probe that restarts it otherwise. */
export const reportLive = (): Response =>
  Response.json({ status: 'ok', version: VERSION }, { headers: ANSWER_HEADERS });

/** Answers 200 if records are accepted and sent, or 503 with what to fix. Stored records are safe either way. */
export function health(): (env: Env, settings: RelaySettings, now: () => number) => Promise<Response> {
  let known: Found | undefined;
  let knownUntil = 0;
  return async (env, settings, now) => {
    // Another request looks for the first time. Workers can't wait for each other's promises.
    for (let waits = 0; known === undefined && knownUntil > now() && waits < FIRST_WAITS; waits++)
      await scheduler.wait(WAIT_MS);
    if (known === undefined || knownUntil <= now()) {
      const before = known;
      // Requests in the meantime get the previous result, if there is one.
      knownUntil = now() + ANSWERS_WITHIN_MS;
      const found = await findTrouble(env, settings, now());
      // One silence may be a deploy that is not complete yet.
      const again = [...found.silent].find(([name]) => before?.silent.has(name))?.[1];
      known = { ...found, trouble: found.trouble ?? again };
      knownUntil = now() + KNOWN_FOR_MS;
    }
    const { trouble } = known;
    if (trouble === undefined) return reportLive();
    const { status, message, since } = trouble;
    const body = {
      status,
      version: VERSION,
      ...(since && { since: new Date(since).toISOString() }),
      message,
    };
    return Response.json(body, { status: 503 });
  };
}

/** `silent`: the objects that did not answer, and the trouble to report if they are silent again next time. */
type Found = { readonly trouble: Trouble | undefined; readonly silent: ReadonlyMap<string, Trouble> };

async function findTrouble(env: Env, settings: RelaySettings, now: number): Promise<Found> {
  const silent = new Map<string, Trouble>();
  const unbound = bindingFault(env);
  if (unbound !== undefined) return { trouble: { status: 'broken', message: unbound }, silent };
  const gate = await gateOrTrouble(env, settings);
  if ('message' in gate) return { trouble: gate, silent };
  const current = new Set(outboxesOf(settings));
  const onHold = new Set(gate.onHold);
  const look = async (name: string): Promise<Trouble | undefined> => {
    try {
      const outbox = await inTime(() => withRetry(async () => outboxNamed(env, name).health()));
      const full = onHold.has(name) ? holdTrouble(name) : fullTrouble(name, outbox);
      return (current.has(name) ? full : undefined) ?? stale(name, outbox, gate, settings, now);
    } catch (error) {
      logFault('health_failed', error);
      silent.set(name, silentTrouble(`outbox ${name}`, error));
      return undefined;
    }
  };
  const troubles = await Promise.all(gate.inUse.map(look));
  return { trouble: troubles.find((trouble) => trouble !== undefined), silent };
}

type Gate = GateStatus & { readonly inUse: readonly string[] };

/**
 * The gate's status and the outboxes in use. Or the trouble, if no object can be created or WebEngage takes nothing.
 */
async function gateOrTrouble(env: Env, settings: RelaySettings): Promise<Gate | Trouble> {
  const { jurisdiction } = settings;
  try {
    const status = await inTime(() => withRetry(async () => gateOf(env).status()));
    await probeOutbox(env, settings);
    if (status.suspension !== null)
      return {
        status: 'suspended',
        message: suspendedMessage(status.suspension.status),
        since: status.suspension.since,
      };
    return { ...status, inUse: await inTime(() => outboxesInUse(env)) };
  } catch (error) {
    logFault('health_failed', error);
    return {
      status: 'broken',
      message: `no Durable Object can be used: OUTBOX must be bound to the class Outbox and RATE_GATE to RateGate, both listed under new_sqlite_classes in the migrations of wrangler.jsonc, with a compatibility_date no older than the package's${jurisdiction === undefined ? '' : `; or the account can't use JURISDICTION ${jurisdiction}`}. See the log.`,
    };
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
    message: `outbox ${name} is full: find out why it does not drain, and ${remedy}. Browsers keep their records, so nothing is lost.`,
  };
}

function holdTrouble(name: string): Trouble {
  return {
    status: 'full',
    message: `outbox ${name} is on hold for a restore, and takes no records: resume it, or undo the restore. Browsers keep their records, so nothing is lost.`,
  };
}

function stale(
  name: string,
  health: QueueHealth,
  { pausedUntil }: GateStatus,
  { healthStaleMs }: RelaySettings,
  now: number,
): Trouble | undefined {
  const longest = longestStall(health);
  if (longest === undefined || now - longest.since < healthStaleMs) return undefined;
  const { kind, since } = longest;
  const why =
    pausedUntil === null
      ? `check its answers at /admin/. If it does not answer, check its status page; if 403, check that the key may write ${kind}s; if there are no calls, look for relay_pass_failed in the log`
      : `it answered 429, and the relay pauses until ${new Date(pausedUntil).toISOString()}: check what else uses the limit of this account`;
  return {
    status: 'stale',
    message: `${kind}s are waiting in outbox ${name}, and WebEngage has accepted none for ${Math.round((now - since) / 1000)} s: ${why}. The relay keeps all records.`,
    since,
  };
}

function silentTrouble(name: string, error: unknown): Trouble {
  const { overloaded } = Object(error) as { overloaded?: unknown };
  return {
    status: 'silent',
    message:
      overloaded === true
        ? `${name} is overloaded: raise OUTBOX_SHARDS. Browsers keep their records.`
        : `${name} has failed to answer twice: see health_failed in the log. Browsers keep their records.`,
  };
}

const suspendedMessage = (status: number) =>
  `WebEngage answers ${status} to every call: check the API key, its permissions, WEBENGAGE_LICENSE_CODE and WEBENGAGE_REGION. The relay keeps all records.`;
