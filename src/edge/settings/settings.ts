import { ACCOUNT_REQUESTS_PER_MINUTE, MAX_BATCH_RECORDS, MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import { isOriginPattern, originsOf } from './origin-pattern.ts';
import { JURISDICTIONS, type Jurisdiction, LOCATION_HINTS, locationHintOf } from './placement.ts';
import { type SettingsEnv, trimmed } from './settings-env.ts';
import { isStrongToken } from './strong-token.ts';
import { isLoopback, upstreamOf } from './upstream.ts';

/** What becomes of records that are off the tracking plan: nothing, they are told of, or they are refused. */
const PLAN_MODES = ['off', 'report', 'enforce'] as const;

export type PlanMode = (typeof PLAN_MODES)[number];

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

// A path segment of the upstream address, never percent-encoded: nothing else may stand in it.
const LICENSE_CODE = /^[\w~-]+$/;

// Anything a header can't hold would throw at the first call, hours after the deploy.
const HEADER_VALUE = /^[\x21-\x7e]+$/;

const MAX_REQUESTS_PER_MINUTE = 10_000;

// Each is waked every five minutes, and asked when the operator looks.
export const MAX_SHARDS = 64;

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

// Asked with each request, and with each pass; a change of a setting is a new environment.
const known = new WeakMap<SettingsEnv, ReadSettings>();

/** Reads and checks what the operator has set. */
export function readSettings(env: SettingsEnv): ReadSettings {
  const read = known.get(env) ?? readAnew(trimmed(env));
  known.set(env, read);
  return read;
}

function readAnew(env: SettingsEnv): ReadSettings {
  const refuse = (message: string): ReadSettings => ({ ok: false, message });
  const { WEBENGAGE_API_KEY = '', WEBENGAGE_API_KEY_SECONDARY = '', WEBENGAGE_LICENSE_CODE = '' } = env;

  if (WEBENGAGE_API_KEY === '')
    return refuse('WEBENGAGE_API_KEY is not set: wrangler secret put WEBENGAGE_API_KEY');
  if (!HEADER_VALUE.test(WEBENGAGE_API_KEY))
    return refuse('WEBENGAGE_API_KEY must be printable ASCII without spaces');
  if (WEBENGAGE_API_KEY_SECONDARY !== '' && !HEADER_VALUE.test(WEBENGAGE_API_KEY_SECONDARY))
    return refuse('WEBENGAGE_API_KEY_SECONDARY must be printable ASCII without spaces');
  if (!LICENSE_CODE.test(WEBENGAGE_LICENSE_CODE))
    return refuse('WEBENGAGE_LICENSE_CODE must be set, to letters, digits, ~, _ and -');

  const upstream = upstreamOf(env);
  if (upstream === undefined)
    return refuse(
      env.WEBENGAGE_HOST
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
