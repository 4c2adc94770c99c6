import { MAX_BATCH_RECORDS, MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import { isOriginPattern } from './origin-pattern.ts';
import { isStrongToken } from './strong-token.ts';

/** What becomes of records that are off the tracking plan: nothing, they are told of, or they are refused. */
const PLAN_MODES = ['off', 'report', 'enforce'] as const;

export type PlanMode = (typeof PLAN_MODES)[number];

/** What the operator sets, as secrets and variables. */
export type SettingsEnv = {
  /** Secret: the key of a WebEngage service account. */
  readonly WEBENGAGE_API_KEY?: string;
  /** Secret: the account's other key. Tried when WebEngage refuses the first, so that keys rotate without a pause. */
  readonly WEBENGAGE_API_KEY_SECONDARY?: string;
  readonly WEBENGAGE_LICENSE_CODE?: string;
  /** `global` (the default), `in` or `ksa`: where the account lives. */
  readonly WEBENGAGE_REGION?: string;
  /** In place of a region, for development: the sandbox's address, as `http://127.0.0.1:8788`. */
  readonly WEBENGAGE_HOST?: string;
  /** The sites that may send, with commas: `https://shop.example.com,https://*.example.com`; or `*`. */
  readonly ALLOWED_ORIGINS?: string;
  /**
   * Calls to WebEngage in any 60 seconds. 500 is what an account has; less leaves some to other programs. More counts from when
   * WebEngage's `X-RateLimit-Limit` says that the account has more.
   */
  readonly REQUESTS_PER_MINUTE?: string;
  /** How long a record may wait for others to fill its batch. */
  readonly LINGER_MS?: string;
  /** Outboxes among which the browsers are divided: 1 to 64. One takes some 500 flushes a second. */
  readonly OUTBOX_SHARDS?: string;
  /** Records the relay holds at the most, dead letters too, over all outboxes. Beyond it browsers keep theirs. */
  readonly MAX_BACKLOG?: string;
  /** Where the outboxes and the gate are made, as Cloudflare names it: `weur`, say. By default near WebEngage's region. */
  readonly LOCATION_HINT?: string;
  /** `eu`, `us` or `fedramp`: the outboxes and their records never leave it. */
  readonly JURISDICTION?: string;
  /** How long records may wait and none be taken before `/health` says so. */
  readonly HEALTH_STALE_MS?: string;
  /** Requests that one relay pass may make, by the plan of the Cloudflare account: 10,000 on the paid one, 50 on the free one. */
  readonly MAX_SUBREQUESTS?: string;
  /** Secret: opens `/admin`. At least 32 characters; without it the door stays shut. */
  readonly ADMIN_TOKEN?: string;
  /** Secret: servers that show it may send, with no `Origin`. At least 32 characters; without it only pages send. */
  readonly SERVER_TOKEN?: string;
  /** `off` (the default), `optional` or `required`: whether records with a userId need an identity token. */
  readonly IDENTITY?: string;
  /** Secret: what identity tokens are verified with. A public key in PEM, a JWK set, or a secret of 32 bytes or more. */
  readonly IDENTITY_KEY?: string;
  /** `off`, `report` or `enforce`: what becomes of records that are off the tracking plan, where the relay has one. */
  readonly TRACKING_PLAN?: string;
};

/** Whether users are believed, vouched for where a token comes, or vouched for always; and by which key, as it was set. */
export type IdentitySettings =
  | { readonly mode: 'off' }
  | { readonly mode: 'optional' | 'required'; readonly key: string };

export type RelaySettings = {
  readonly apiKeys: { readonly primary: string; readonly secondary?: string };
  readonly licenseCode: string;
  /** WebEngage's address, without a slash at its end. */
  readonly upstream: string;
  readonly allowedOrigins: readonly string[];
  readonly serverToken?: string;
  readonly requestsPerMinute: number;
  readonly lingerMs: number;
  readonly maxSubrequests: number;
  readonly shards: number;
  readonly maxBacklog: number;
  /** An outbox's share of it. */
  readonly maxBacklogPerShard: number;
  readonly identity: IdentitySettings;
  readonly trackingPlan?: PlanMode;
  readonly jurisdiction?: Jurisdiction;
  readonly healthStaleMs: number;
  /** An outbox's share of what the account's allowance takes. */
  readonly recordsPerMinutePerShard: number;
};

/** The settings, or what to set: in words that reveal no value. */
export type ReadSettings =
  | { readonly ok: true; readonly settings: RelaySettings }
  | { readonly ok: false; readonly message: string };

// https://docs.webengage.com/docs/rest-api-getting-started
const HOSTS: Readonly<Record<string, string>> = {
  global: 'https://api.webengage.com',
  in: 'https://api.in.webengage.com',
  ksa: 'https://api.ksa.webengage.com',
};

// A path segment of the upstream address, never percent-encoded: nothing else may stand in it.
const LICENSE_CODE = /^[\w~-]+$/;

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

// Anything a header can't hold would throw at the first call, hours after the deploy.
const HEADER_VALUE = /^[\x21-\x7e]+$/;

const ACCOUNT_REQUESTS_PER_MINUTE = 500;
const MAX_REQUESTS_PER_MINUTE = 10_000;

// Each is waked every five minutes, and asked when the operator looks.
export const MAX_SHARDS = 64;

// https://developers.cloudflare.com/durable-objects/reference/data-location/
const LOCATION_HINTS = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'apac', 'oc', 'afr', 'me'] as const;
export const JURISDICTIONS = ['eu', 'us', 'fedramp'] as const;

export type LocationHint = (typeof LOCATION_HINTS)[number];
export type Jurisdiction = (typeof JURISDICTIONS)[number];

// Near WebEngage, and not near whoever sent the first record: each call goes there and back.
const NEAR: Readonly<Record<string, LocationHint>> = { global: 'enam', in: 'apac', ksa: 'me' };

// What waits longer than a day at the full allowance is not caught up with either.
const BACKLOG_MINUTES = 24 * 60;
const MAX_BACKLOG = 1_000_000_000;

/** A variable that is a whole number in a range; undefined where it is anything else. */
function wholeNumber(
  text: string | undefined,
  otherwise: number,
  min: number,
  max: number,
): number | undefined {
  const value = Number(text || otherwise);
  return Number.isInteger(value) && value >= min && value <= max ? value : undefined;
}

/** The settings without the newline that a pipe leaves at the end of a secret. Bindings stand beside them. */
function trimmed(env: SettingsEnv): SettingsEnv {
  const texts = Object.entries(env).filter(
    ([name, value]) => typeof value === 'string' && name !== 'IDENTITY_KEY',
  );
  return { ...env, ...Object.fromEntries(texts.map(([name, value]) => [name, `${value}`.trim()])) };
}

/** Reads and checks what the operator has set. */
export function readSettings(given: SettingsEnv): ReadSettings {
  const env = trimmed(given);
  const refuse = (message: string): ReadSettings => ({ ok: false, message });
  const { WEBENGAGE_API_KEY = '', WEBENGAGE_API_KEY_SECONDARY = '', WEBENGAGE_LICENSE_CODE = '' } = env;
  const { WEBENGAGE_REGION, WEBENGAGE_HOST } = env;

  if (WEBENGAGE_API_KEY === '')
    return refuse('WEBENGAGE_API_KEY is not set: wrangler secret put WEBENGAGE_API_KEY');
  if (!HEADER_VALUE.test(WEBENGAGE_API_KEY))
    return refuse('WEBENGAGE_API_KEY must be printable ASCII without spaces');
  if (WEBENGAGE_API_KEY_SECONDARY !== '' && !HEADER_VALUE.test(WEBENGAGE_API_KEY_SECONDARY))
    return refuse('WEBENGAGE_API_KEY_SECONDARY must be printable ASCII without spaces');
  if (!LICENSE_CODE.test(WEBENGAGE_LICENSE_CODE))
    return refuse('WEBENGAGE_LICENSE_CODE must be set, to letters, digits, ~, _ and -');

  const upstream = WEBENGAGE_HOST ? upstreamOfHost(WEBENGAGE_HOST) : hostOf(WEBENGAGE_REGION || 'global');
  if (upstream === undefined)
    return refuse(
      WEBENGAGE_HOST
        ? 'WEBENGAGE_HOST must be a host of WebEngage, or http on 127.0.0.1 in development'
        : 'WEBENGAGE_REGION must be global, in or ksa',
    );

  const allowedOrigins = originsOf(env);
  if (allowedOrigins.length === 0)
    return refuse('ALLOWED_ORIGINS must name the sites that may send, with commas, or be *');
  const badOrigin = allowedOrigins.findIndex((origin) => !isOriginPattern(origin));
  if (badOrigin >= 0)
    return refuse(
      `ALLOWED_ORIGINS must hold origins as browsers write them, and number ${badOrigin + 1} of its list is not one: https://shop.example.com, in lower case and punycode, without a path, a slash at the end, or the usual port; https://*.example.com; or an app's, as capacitor://localhost`,
    );

  const { ADMIN_TOKEN = '', SERVER_TOKEN = '' } = env;
  if (SERVER_TOKEN !== '' && !(isStrongToken(SERVER_TOKEN) && HEADER_VALUE.test(SERVER_TOKEN)))
    return refuse('SERVER_TOKEN must be 32 random characters or more, printable ASCII without spaces');
  // What every server holds must open nothing else.
  if (
    SERVER_TOKEN !== '' &&
    [ADMIN_TOKEN, WEBENGAGE_API_KEY, WEBENGAGE_API_KEY_SECONDARY, env.IDENTITY_KEY].includes(SERVER_TOKEN)
  )
    return refuse(
      'SERVER_TOKEN must be a secret of its own: not ADMIN_TOKEN, not IDENTITY_KEY, not a key of WebEngage',
    );

  const requestsPerMinute = wholeNumber(
    env.REQUESTS_PER_MINUTE,
    ACCOUNT_REQUESTS_PER_MINUTE,
    2,
    MAX_REQUESTS_PER_MINUTE,
  );
  if (requestsPerMinute === undefined)
    return refuse(`REQUESTS_PER_MINUTE must be a whole number from 2 to ${MAX_REQUESTS_PER_MINUTE}`);

  // What is more the account may not have.
  const sureRequestsPerMinute = Math.min(requestsPerMinute, ACCOUNT_REQUESTS_PER_MINUTE);

  const maxSubrequests = wholeNumber(env.MAX_SUBREQUESTS, 10_000, 10, 10_000);
  if (maxSubrequests === undefined) return refuse('MAX_SUBREQUESTS must be a whole number from 10 to 10000');

  const healthStaleMs = wholeNumber(env.HEALTH_STALE_MS, 300_000, 1_000, 86_400_000);
  if (healthStaleMs === undefined)
    return refuse('HEALTH_STALE_MS must be a whole number from 1000 to 86400000');

  const { JURISDICTION = '' } = env;
  const locationHint = locationHintOf(env);
  if (locationHint === undefined) return refuse(`LOCATION_HINT must be one of ${LOCATION_HINTS.join(', ')}`);
  const jurisdiction = JURISDICTIONS.find((each) => each === JURISDICTION);
  if (JURISDICTION !== '' && jurisdiction === undefined)
    return refuse(`JURISDICTION must be one of ${JURISDICTIONS.join(', ')}`);

  const lingerMs = wholeNumber(env.LINGER_MS, 1_000, 0, 60_000);
  if (lingerMs === undefined) return refuse('LINGER_MS must be a whole number from 0 to 60000');
  // Longer than records linger by themselves.
  if (healthStaleMs < lingerMs) return refuse('HEALTH_STALE_MS must be no less than LINGER_MS');

  const shards = wholeNumber(env.OUTBOX_SHARDS, 1, 1, MAX_SHARDS);
  if (shards === undefined) return refuse(`OUTBOX_SHARDS must be a whole number from 1 to ${MAX_SHARDS}`);

  const maxBacklog = wholeNumber(
    env.MAX_BACKLOG,
    BACKLOG_MINUTES * sureRequestsPerMinute * MAX_BATCH_RECORDS,
    MAX_REQUEST_RECORDS * shards,
    MAX_BACKLOG,
  );
  if (maxBacklog === undefined)
    return refuse(
      `MAX_BACKLOG must be a whole number from ${MAX_REQUEST_RECORDS} for each of OUTBOX_SHARDS to ${MAX_BACKLOG}`,
    );

  const { IDENTITY: mode = 'off', IDENTITY_KEY: key = '' } = env;
  if (mode !== 'off' && mode !== 'optional' && mode !== 'required')
    return refuse('IDENTITY must be off, optional or required');
  if (mode !== 'off' && key === '')
    return refuse('IDENTITY_KEY is not set, and IDENTITY is not off: wrangler secret put IDENTITY_KEY');

  const { TRACKING_PLAN = '' } = env;
  const trackingPlan = PLAN_MODES.find((each) => each === TRACKING_PLAN);
  if (TRACKING_PLAN !== '' && trackingPlan === undefined)
    return refuse('TRACKING_PLAN must be off, report or enforce');

  return {
    ok: true,
    settings: {
      apiKeys: {
        primary: WEBENGAGE_API_KEY,
        ...(WEBENGAGE_API_KEY_SECONDARY && { secondary: WEBENGAGE_API_KEY_SECONDARY }),
      },
      licenseCode: WEBENGAGE_LICENSE_CODE,
      upstream,
      allowedOrigins,
      ...(SERVER_TOKEN && { serverToken: SERVER_TOKEN }),
      requestsPerMinute,
      lingerMs,
      maxSubrequests,
      shards,
      maxBacklog,
      maxBacklogPerShard: Math.floor(maxBacklog / shards),
      ...(trackingPlan && { trackingPlan }),
      // The runtime of a developer's machine has none.
      ...(jurisdiction && !isLoopback(upstream) && { jurisdiction }),
      healthStaleMs,
      identity: mode === 'off' ? { mode } : { mode, key },
      recordsPerMinutePerShard: (sureRequestsPerMinute * MAX_BATCH_RECORDS) / shards,
    },
  };
}

/** Where Durable Objects are to be made; undefined where that is set to no place that Cloudflare names. */
export function locationHintOf(env: SettingsEnv): LocationHint | undefined {
  const { LOCATION_HINT, WEBENGAGE_REGION } = env;
  const hint = LOCATION_HINT?.trim() || (NEAR[WEBENGAGE_REGION?.trim() || 'global'] ?? 'enam');
  return LOCATION_HINTS.find((each) => each === hint);
}

/** The sites that may send, as they are set: read even where another setting is wrong. */
export function originsOf({ ALLOWED_ORIGINS = '' }: SettingsEnv): readonly string[] {
  return ALLOWED_ORIGINS.split(',')
    .map((origin) => origin.trim())
    .filter(Boolean);
}

function hostOf(region: string): string | undefined {
  return Object.hasOwn(HOSTS, region) ? HOSTS[region] : undefined;
}

// A closed list: whoever can change a variable must not be able to have the key sent elsewhere.
function upstreamOfHost(host: string): string | undefined {
  const address = host.includes('://') ? host.replace(/\/$/, '') : `https://${host}`;
  return LOOPBACK.test(address) || Object.values(HOSTS).includes(address) ? address : undefined;
}

/** True where the upstream is this machine's own: for development only. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address);
}
