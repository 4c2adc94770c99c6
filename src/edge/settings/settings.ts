import { ACCOUNT_REQUESTS_PER_MINUTE, MAX_BATCH_RECORDS, MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import type { Jurisdiction } from './placement.ts';
import { type SettingsEnv, textOf } from './settings-env.ts';
import { SETTINGS, type Setting, type SettingName, type SettingValues } from './settings-table.ts';
import { isLoopback, upstreamOfRegion } from './upstream.ts';

/** What becomes of records that are off the tracking plan: nothing, they are told of, or they are refused. */
export type PlanMode = NonNullable<SettingValues['TRACKING_PLAN']>;

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

// What waits longer than a day at the full allowance is not caught up with either.
const BACKLOG_MINUTES = 24 * 60;

// Asked with each request, and with each pass; a change of a setting is a new environment.
const known = new WeakMap<SettingsEnv, ReadSettings>();

/** Reads and checks what the operator has set. */
export function readSettings(env: SettingsEnv): ReadSettings {
  const read = known.get(env) ?? readAnew(env);
  known.set(env, read);
  return read;
}

function readAnew(env: SettingsEnv): ReadSettings {
  const values = parseAll(env);
  if (typeof values === 'string') return { ok: false, message: values };
  const message = findConflict(values);
  return message === undefined ? { ok: true, settings: settingsOf(values) } : { ok: false, message };
}

/** The value of every setting; or the message about the first that breaks its rule. */
function parseAll(env: SettingsEnv): SettingValues | string {
  const values: { [Name in SettingName]?: unknown } = {};
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const { otherwise = '', rule, parse }: Setting<unknown> = SETTINGS[name];
    const text = textOf(env, name) ?? otherwise;
    values[name] = parse(text);
    if (values[name] === undefined) return `${name} ${typeof rule === 'string' ? rule : rule(text)}`;
  }
  // By now each name has the value that its own row has parsed.
  return values as SettingValues;
}

/** The message about the first rule between settings that is broken. Each of them is right by itself. */
function findConflict(values: SettingValues): string | undefined {
  // What every server holds must open nothing else.
  const others = [
    values.WEBENGAGE_API_KEY,
    values.WEBENGAGE_API_KEY_SECONDARY,
    values.ADMIN_TOKEN,
    values.IDENTITY_KEY,
  ];
  if (values.SERVER_TOKEN !== null && others.includes(values.SERVER_TOKEN))
    return 'SERVER_TOKEN must be a secret of its own: not ADMIN_TOKEN, not IDENTITY_KEY, not a key of WebEngage';

  // Longer than records linger by themselves.
  if (values.HEALTH_STALE_MS < values.LINGER_MS) return 'HEALTH_STALE_MS must be no less than LINGER_MS';

  if (values.MAX_BACKLOG !== null && values.MAX_BACKLOG < MAX_REQUEST_RECORDS * values.OUTBOX_SHARDS)
    return `MAX_BACKLOG ${SETTINGS.MAX_BACKLOG.rule}`;

  if (values.IDENTITY !== 'off' && values.IDENTITY_KEY === '')
    return 'IDENTITY_KEY is not set, and IDENTITY is not off: wrangler secret put IDENTITY_KEY';
  return undefined;
}

function settingsOf(values: SettingValues): RelaySettings {
  const { REQUESTS_PER_MINUTE: requestsPerMinute, OUTBOX_SHARDS: shards } = values;
  // What is more the account may not have.
  const sureRequestsPerMinute = Math.min(requestsPerMinute, ACCOUNT_REQUESTS_PER_MINUTE);
  const recordsPerMinute = sureRequestsPerMinute * MAX_BATCH_RECORDS;
  const maxBacklog = values.MAX_BACKLOG ?? BACKLOG_MINUTES * recordsPerMinute;
  const upstream = values.WEBENGAGE_HOST ?? upstreamOfRegion(values.WEBENGAGE_REGION);
  return {
    apiKeys: {
      primary: values.WEBENGAGE_API_KEY,
      ...(values.WEBENGAGE_API_KEY_SECONDARY && { secondary: values.WEBENGAGE_API_KEY_SECONDARY }),
    },
    licenseCode: values.WEBENGAGE_LICENSE_CODE,
    upstream,
    allowedOrigins: values.ALLOWED_ORIGINS,
    ...(values.SERVER_TOKEN && { serverToken: values.SERVER_TOKEN }),
    requestsPerMinute,
    lingerMs: values.LINGER_MS,
    maxSubrequests: values.MAX_SUBREQUESTS,
    shards,
    maxBacklog,
    maxBacklogPerShard: Math.floor(maxBacklog / shards),
    ...(values.TRACKING_PLAN && { trackingPlan: values.TRACKING_PLAN }),
    // The runtime of a developer's machine has none.
    ...(values.JURISDICTION && !isLoopback(upstream) && { jurisdiction: values.JURISDICTION }),
    healthStaleMs: values.HEALTH_STALE_MS,
    identity: identityOf(values),
    recordsPerMinutePerShard: recordsPerMinute / shards,
  };
}

function identityOf({ IDENTITY: mode, IDENTITY_KEY: key }: SettingValues): IdentitySettings {
  return mode === 'off' ? { mode } : { mode, key };
}
