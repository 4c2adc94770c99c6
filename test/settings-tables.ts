import { readKeys } from '../src/edge/auth/identity-key.ts';
import { JURISDICTIONS, LOCATION_HINTS, locationHintOf } from '../src/edge/settings/placement.ts';
import { readSettings } from '../src/edge/settings/settings.ts';
import type { SettingsEnv } from '../src/edge/settings/settings-env.ts';
import {
  BOT_MODES,
  IDENTITY_MODES,
  PLAN_MODES,
  SETTINGS,
  type Setting,
  type SettingName,
} from '../src/edge/settings/settings-table.ts';
import { REGIONS, type Region } from '../src/edge/settings/upstream.ts';

/** The settings that must be set. */
export const MINIMAL: SettingsEnv = {
  WEBENGAGE_API_KEY: 'a-key',
  WEBENGAGE_LICENSE_CODE: '~47b6655b',
  ALLOWED_ORIGINS: 'https://shop.example.com',
};

/** A text that breaks the rule of every setting. */
export const NO_VALUE = 'no such value';

/** The message about a relay with these settings beside the minimal ones; undefined where all are right. */
export function refusalOf(env: SettingsEnv): string | undefined {
  const read = readSettings({ ...MINIMAL, ...env });
  return read.ok ? undefined : read.message;
}

/** What the document says about a setting and the Worker does not need. */
type Entry = {
  /** Set by `wrangler secret put`, and never a variable of wrangler.jsonc. */
  readonly isSecret?: true;
  readonly table: 'upstream' | 'senders' | 'placement' | 'plan' | 'alerts' | 'lanes' | 'sending';
  /** Left out of a whole number, which has a range in SETTINGS. */
  readonly mayBe?: string;
  /** What holds where it is not set, if that is not the default in SETTINGS. */
  readonly otherwise?: string;
  /** The answer to a wrong value, if `readSettings` does not check it. */
  readonly refusal?: string;
};

/** Every setting, in the order of the document. */
const ENTRIES: Readonly<Record<SettingName, Entry>> = {
  WEBENGAGE_API_KEY: { isSecret: true, table: 'upstream', mayBe: 'printable ASCII, no spaces' },
  WEBENGAGE_API_KEY_SECONDARY: { isSecret: true, table: 'upstream', mayBe: 'the same' },
  WEBENGAGE_LICENSE_CODE: { table: 'upstream', mayBe: 'letters, digits, `~`, `_`, `-`' },
  WEBENGAGE_REGION: { table: 'upstream', mayBe: listed(REGIONS) },
  WEBENGAGE_HOST: { table: 'upstream', mayBe: 'a host of WebEngage, or `http` on this machine' },

  ALLOWED_ORIGINS: {
    table: 'senders',
    mayBe: "origins with commas, `https://*.example.com`, an app's, or `*`",
  },
  SERVER_TOKEN: {
    isSecret: true,
    table: 'senders',
    mayBe: "32 characters or more, random, ASCII, no other secret's value",
    otherwise: 'none: only pages send',
  },
  SERVER_TOKENS: {
    isSecret: true,
    table: 'senders',
    mayBe: '`name=token` pairs with commas or newlines, each token as above',
  },
  IDENTITY: { table: 'senders', mayBe: listed(IDENTITY_MODES) },
  IDENTITY_KEY: {
    isSecret: true,
    table: 'senders',
    mayBe: 'a public RSA key in PEM, a JWK set, or 32 bytes or more',
    otherwise: 'none: must be set unless `IDENTITY` is `off`',
    refusal: quoted(await identityKeyRefusal()),
  },
  METRICS_TOKEN: {
    isSecret: true,
    table: 'senders',
    mayBe: "32 characters or more, random, ASCII, no other secret's value",
    otherwise: 'none: `/metrics` is 404',
  },
  ADMIN_TOKEN: {
    isSecret: true,
    table: 'senders',
    mayBe: '32 characters or more, random',
    otherwise: 'none: nobody gets in',
    refusal: 'none: `/admin` is 404',
  },

  LOCATION_HINT: {
    table: 'placement',
    mayBe: listed(LOCATION_HINTS),
    otherwise: `by \`WEBENGAGE_REGION\`: ${listed(REGIONS.map(hintNear))}`,
  },
  JURISDICTION: { table: 'placement', mayBe: listed(JURISDICTIONS) },

  TRACKING_PLAN: {
    table: 'plan',
    mayBe: listed(PLAN_MODES),
    otherwise: '`report`, where there is a plan',
  },
  BOTS: { table: 'plan', mayBe: listed(BOT_MODES) },

  ALERT_WEBHOOK: {
    isSecret: true,
    table: 'alerts',
    mayBe: '1 to 5 `https` addresses with commas',
    otherwise: 'none: no messages',
  },
  ALERT_SECRET: {
    isSecret: true,
    table: 'alerts',
    mayBe: "32 characters or more, random, ASCII, no other secret's value",
    otherwise: 'none: not signed',
  },

  LANES: {
    table: 'lanes',
    mayBe: 'percentages for live, server and import: each 1 or more, together 100 or less',
  },

  REQUESTS_PER_MINUTE: { table: 'sending' },
  LINGER_MS: { table: 'sending' },
  OUTBOX_SHARDS: { table: 'sending' },
  MAX_BACKLOG: { table: 'sending', otherwise: defaultBacklog() },
  DEAD_LETTER_MAX_AGE_DAYS: { table: 'sending', otherwise: 'none: dead letters stay' },
  MAX_SUBREQUESTS: { table: 'sending' },
  HEALTH_STALE_MS: { table: 'sending' },
  ALERT_LATE_MS: { table: 'sending' },
};

export const SETTING_NAMES = Object.keys(ENTRIES) as readonly SettingName[];

export const SECRETS: readonly string[] = SETTING_NAMES.filter((name) => ENTRIES[name].isSecret);

const WORDS_HEAD = `| setting | kind | default | may be | else 503 |
|---|---|---|---|---|`;

const NUMBERS_HEAD = `| setting | kind | default | from | to | else 503 |
|---|---|--:|--:|--:|---|`;

/** The tables of docs/reference/settings.md, by the names of their places there. */
export function settingsTables(): Readonly<Record<Entry['table'], string>> {
  return {
    upstream: tableOf('upstream', WORDS_HEAD),
    senders: tableOf('senders', WORDS_HEAD),
    placement: tableOf('placement', WORDS_HEAD),
    plan: tableOf('plan', WORDS_HEAD),
    alerts: tableOf('alerts', WORDS_HEAD),
    lanes: tableOf('lanes', WORDS_HEAD),
    sending: tableOf('sending', NUMBERS_HEAD),
  };
}

function tableOf(table: Entry['table'], head: string): string {
  const names = SETTING_NAMES.filter((name) => ENTRIES[name].table === table);
  return [head, ...names.map((name) => `| ${cellsOf(name).join(' | ')} |`)].join('\n');
}

function cellsOf(name: SettingName): readonly (string | number)[] {
  const { isSecret, mayBe = '', otherwise, refusal } = ENTRIES[name];
  const { range }: Setting<unknown> = SETTINGS[name];
  return [
    `\`${name}\``,
    isSecret ? 'secret' : 'variable',
    otherwise ?? defaultOf(name),
    ...(range ?? [mayBe]),
    refusal ?? quoted(refusalOf({ [name]: NO_VALUE })),
  ];
}

function defaultOf(name: SettingName): string {
  const { range, otherwise }: Setting<unknown> = SETTINGS[name];
  if (otherwise !== undefined) return range ? otherwise : `\`${otherwise}\``;
  return refusalOf({ [name]: '' }) === undefined ? 'none' : 'none: must be set';
}

function listed(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ');
}

/** A message as code. A long one ends after its first clause, to keep the table readable. */
function quoted(message = ''): string {
  return message.length <= 100 ? `\`${message}\`` : `\`${message.split(',')[0]}, …\``;
}

function hintNear(region: Region): string {
  return `${locationHintOf({ WEBENGAGE_REGION: region })}`;
}

function defaultBacklog(): string {
  const read = readSettings(MINIMAL);
  return read.ok ? `${read.settings.maxBacklog}` : read.message;
}

async function identityKeyRefusal(): Promise<string> {
  const read = await readKeys('{}');
  return read.ok ? '' : read.message;
}
