import { ACCOUNT_REQUESTS_PER_MINUTE, MAX_BATCH_RECORDS, MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import type { Lane } from '../../contract/lane.ts';
import type { Jurisdiction } from './placement.ts';
import { type ServerToken, UNNAMED_SERVER } from './server-tokens.ts';
import { type SettingsEnv, textOf } from './settings-env.ts';
import { SETTINGS, type Setting, type SettingName, type SettingValues } from './settings-table.ts';
import { isLoopback, upstreamOfRegion } from './upstream.ts';

/** What happens to records that violate the tracking plan: nothing, a report, or a rejection. */
export type PlanMode = NonNullable<SettingValues['TRACKING_PLAN']>;

/** What happens to records of bots: nothing, a count, or a rejection and a count. */
export type BotMode = SettingValues['BOTS'];

/** Whether identity tokens are ignored, checked when present, or required. `key` is the setting's text. */
export type IdentitySettings =
  | { readonly mode: 'off' }
  | { readonly mode: 'optional' | 'required'; readonly key: string };

export type RelaySettings = {
  readonly apiKeys: { readonly primary: string; readonly secondary?: string };
  readonly licenseCode: string;
  /** WebEngage's address, without a slash at the end. */
  readonly upstream: string;
  readonly allowedOrigins: readonly string[];
  /** Those of SERVER_TOKENS, and SERVER_TOKEN. None if only pages send. */
  readonly serverTokens: readonly ServerToken[];
  /** Opens `/metrics`. Without it nothing is observed for that. */
  readonly metricsToken?: string;
  readonly requestsPerMinute: number;
  /** Each lane's floor: its share of the calls while it has records, from 0 to 1. */
  readonly laneFloors: Readonly<Record<Lane, number>>;
  readonly lingerMs: number;
  readonly maxSubrequests: number;
  readonly shards: number;
  readonly maxBacklog: number;
  /** One outbox's share of `maxBacklog`. */
  readonly maxBacklogPerShard: number;
  readonly identity: IdentitySettings;
  readonly bots: BotMode;
  readonly trackingPlan?: PlanMode;
  readonly jurisdiction?: Jurisdiction;
  readonly healthStaleMs: number;
  /** Dead letters are discarded at this age. Without it they stay until somebody deals with them. */
  readonly deadLetterMaxAgeDays?: number;
  /** One outbox's share of the account's allowance, in records. */
  readonly recordsPerMinutePerShard: number;
};

/** The settings, or a message on what to set. The message reveals no value. */
export type ReadSettings =
  | { readonly ok: true; readonly settings: RelaySettings }
  | { readonly ok: false; readonly message: string };

// A backlog of more than a day at the full allowance would never be caught up with anyway.
const BACKLOG_MINUTES = 24 * 60;

// A cache, since each request and each pass reads the settings. A changed setting comes with a new environment.
const known = new WeakMap<SettingsEnv, ReadSettings>();

/** Reads and checks the operator's settings. */
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

/** The value of every setting, or a message about the first invalid one. */
function parseAll(env: SettingsEnv): SettingValues | string {
  const values: { [Name in SettingName]?: unknown } = {};
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const { otherwise = '', rule, parse }: Setting<unknown> = SETTINGS[name];
    const text = textOf(env, name) ?? otherwise;
    values[name] = parse(text);
    if (values[name] === undefined) return `${name} ${typeof rule === 'string' ? rule : rule(text)}`;
  }
  // Each name now has the value from its own row's `parse`.
  return values as SettingValues;
}

/** A message about the first conflict between settings that are valid by themselves. */
function findConflict(values: SettingValues): string | undefined {
  // A server holds its token, so that must give access to nothing else.
  const others = [
    values.WEBENGAGE_API_KEY,
    values.WEBENGAGE_API_KEY_SECONDARY,
    values.ADMIN_TOKEN,
    values.IDENTITY_KEY,
  ];
  const named = values.SERVER_TOKENS ?? [];
  if (values.SERVER_TOKEN !== null && others.includes(values.SERVER_TOKEN))
    return 'SERVER_TOKEN must differ from ADMIN_TOKEN, IDENTITY_KEY and the WebEngage keys';
  if (named.some(({ token }) => others.includes(token)))
    return 'SERVER_TOKENS must differ from ADMIN_TOKEN, IDENTITY_KEY and the WebEngage keys';
  if (values.SERVER_TOKEN !== null && named.some(({ token }) => token === values.SERVER_TOKEN))
    return 'SERVER_TOKENS must not repeat the SERVER_TOKEN';
  if (values.SERVER_TOKEN !== null && named.some(({ name }) => name === UNNAMED_SERVER))
    return `SERVER_TOKENS must not use the name ${UNNAMED_SERVER}, which is that of SERVER_TOKEN`;

  const tokens = [...others, values.SERVER_TOKEN, ...named.map(({ token }) => token)];
  // The receivers of alerts hold this secret, so it must give access to nothing either.
  if (values.ALERT_SECRET !== null && tokens.includes(values.ALERT_SECRET))
    return 'ALERT_SECRET must differ from all tokens, IDENTITY_KEY and the WebEngage keys';
  // And whatever scrapes the metrics holds this token.
  if (values.METRICS_TOKEN !== null && [...tokens, values.ALERT_SECRET].includes(values.METRICS_TOKEN))
    return 'METRICS_TOKEN must differ from all other tokens, ALERT_SECRET, IDENTITY_KEY and the WebEngage keys';

  // Records may linger for LINGER_MS, which must not count as stale or late.
  if (values.HEALTH_STALE_MS < values.LINGER_MS) return 'HEALTH_STALE_MS must be at least LINGER_MS';
  if (values.ALERT_LATE_MS <= 2 * values.LINGER_MS) return 'ALERT_LATE_MS must be more than twice LINGER_MS';

  if (values.MAX_BACKLOG !== null && values.MAX_BACKLOG < MAX_REQUEST_RECORDS * values.OUTBOX_SHARDS)
    return `MAX_BACKLOG ${SETTINGS.MAX_BACKLOG.rule}`;

  if (values.IDENTITY !== 'off' && values.IDENTITY_KEY === '')
    return 'IDENTITY_KEY is not set, but IDENTITY is not off: run wrangler secret put IDENTITY_KEY';
  return undefined;
}

function settingsOf(values: SettingValues): RelaySettings {
  const { REQUESTS_PER_MINUTE: requestsPerMinute, OUTBOX_SHARDS: shards } = values;
  // WebEngage may not allow the account more than this.
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
    serverTokens: serverTokensOf(values),
    ...(values.METRICS_TOKEN && { metricsToken: values.METRICS_TOKEN }),
    requestsPerMinute,
    laneFloors: values.LANES,
    lingerMs: values.LINGER_MS,
    maxSubrequests: values.MAX_SUBREQUESTS,
    shards,
    maxBacklog,
    maxBacklogPerShard: Math.floor(maxBacklog / shards),
    ...(values.TRACKING_PLAN && { trackingPlan: values.TRACKING_PLAN }),
    // Local runtimes have no jurisdictions.
    ...(values.JURISDICTION && !isLoopback(upstream) && { jurisdiction: values.JURISDICTION }),
    healthStaleMs: values.HEALTH_STALE_MS,
    ...(values.DEAD_LETTER_MAX_AGE_DAYS && { deadLetterMaxAgeDays: values.DEAD_LETTER_MAX_AGE_DAYS }),
    identity: identityOf(values),
    bots: values.BOTS,
    recordsPerMinutePerShard: recordsPerMinute / shards,
  };
}

function serverTokensOf({
  SERVER_TOKEN: token,
  SERVER_TOKENS: named,
}: SettingValues): readonly ServerToken[] {
  return [...(token === null ? [] : [{ name: UNNAMED_SERVER, token }]), ...(named ?? [])];
}

function identityOf({ IDENTITY: mode, IDENTITY_KEY: key }: SettingValues): IdentitySettings {
  return mode === 'off' ? { mode } : { mode, key };
}
