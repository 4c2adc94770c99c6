import { ACCOUNT_REQUESTS_PER_MINUTE, MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import type { Lane } from '../../contract/lane.ts';
import { parseWebhooks, webhooksRule } from './alert-webhook.ts';
import { originsRule, parseOrigins } from './origin-pattern.ts';
import { JURISDICTIONS, LOCATION_HINTS } from './placement.ts';
import { parseServerTokens, serverTokensRule } from './server-tokens.ts';
import { HEADER_VALUE, strongToken } from './strong-token.ts';
import { REGIONS, upstreamOfHost } from './upstream.ts';

/** How one setting is checked and parsed. */
export type Setting<Value> = {
  /** The default text of an unset setting. Without it, `parse` gets an empty text. */
  readonly otherwise?: string;
  /** The bounds of a whole number. */
  readonly range?: readonly [min: number, max: number];
  /** The setting's rule, which `/health` shows after its name. It never contains the setting's text. */
  readonly rule: string | ((text: string) => string);
  /** Parses a text. Undefined if the text breaks the rule. */
  readonly parse: (text: string) => Value | undefined;
};

// A path segment of the upstream address. It is not percent-encoded, so no other characters are allowed.
const LICENSE_CODE = /^[\w~-]+$/;

const HEADER_RULE = 'must be printable ASCII without spaces';

const STRONG_RULE = 'must be 32 random characters or more, printable ASCII without spaces';

// The watchdog wakes each one every minute while records wait, and the admin page asks each one.
export const MAX_SHARDS = 64;

const MAX_BACKLOG = 1_000_000_000;

const MAX_DEAD_LETTER_DAYS = 3_650;

export const PLAN_MODES = ['off', 'report', 'enforce'] as const;
export const BOT_MODES = ['off', 'count', 'refuse'] as const;
export const IDENTITY_MODES = ['off', 'optional', 'required'] as const;

// Checked where they are used: ADMIN_TOKEN in auth/bearer.ts, IDENTITY_KEY in auth/identity-key.ts.
const UNCHECKED = { rule: 'may be anything', parse: (text: string) => text };

/**
 * All settings, in the order of their checks. docs/reference/settings.md explains each of them. Its tables
 * are generated from this one, and from test/settings-tables.ts with the texts that the Worker does not need.
 * To renew them:
 * `npx vitest run --project pure test/configuration.test.ts --update`
 */
export const SETTINGS = {
  WEBENGAGE_API_KEY: {
    rule: (text) => (text === '' ? 'is not set: run wrangler secret put WEBENGAGE_API_KEY' : HEADER_RULE),
    parse: matching(HEADER_VALUE),
  },
  WEBENGAGE_API_KEY_SECONDARY: {
    rule: HEADER_RULE,
    parse: optional(matching(HEADER_VALUE)),
  },
  WEBENGAGE_LICENSE_CODE: {
    rule: 'must be set, and hold only letters, digits, ~, _ and -',
    parse: matching(LICENSE_CODE),
  },
  WEBENGAGE_HOST: {
    rule: 'must be a host of WebEngage, or http on 127.0.0.1 in development',
    parse: optional(upstreamOfHost),
  },
  WEBENGAGE_REGION: {
    otherwise: 'global',
    rule: 'must be global, in or ksa',
    parse: oneOf(REGIONS),
  },
  ALLOWED_ORIGINS: {
    rule: originsRule,
    parse: parseOrigins,
  },
  SERVER_TOKEN: {
    rule: STRONG_RULE,
    parse: optional(strongToken),
  },
  SERVER_TOKENS: {
    rule: serverTokensRule,
    parse: optional(parseServerTokens),
  },
  METRICS_TOKEN: {
    rule: STRONG_RULE,
    parse: optional(strongToken),
  },
  ADMIN_TOKEN: UNCHECKED,
  LANES: {
    otherwise: '50,30,5',
    rule: 'must be three whole percentages, each at least 1 and together at most 100, such as 50,30,5',
    parse: parseLaneFloors,
  },
  REQUESTS_PER_MINUTE: wholeNumber(ACCOUNT_REQUESTS_PER_MINUTE, 2, 10_000),
  MAX_SUBREQUESTS: wholeNumber(10_000, 10, 10_000),
  HEALTH_STALE_MS: wholeNumber(300_000, 1_000, 86_400_000),
  ALERT_WEBHOOK: {
    rule: webhooksRule,
    parse: optional(parseWebhooks),
  },
  ALERT_SECRET: {
    rule: STRONG_RULE,
    parse: optional(strongToken),
  },
  ALERT_LATE_MS: wholeNumber(900_000, 3_000, 86_400_000),
  LOCATION_HINT: {
    rule: `must be one of ${LOCATION_HINTS.join(', ')}`,
    parse: optional(oneOf(LOCATION_HINTS)),
  },
  JURISDICTION: {
    rule: `must be one of ${JURISDICTIONS.join(', ')}`,
    parse: optional(oneOf(JURISDICTIONS)),
  },
  LINGER_MS: wholeNumber(1_000, 0, 60_000),
  OUTBOX_SHARDS: wholeNumber(1, 1, MAX_SHARDS),
  MAX_BACKLOG: {
    range: [MAX_REQUEST_RECORDS, MAX_BACKLOG],
    rule: `must be a whole number from ${MAX_REQUEST_RECORDS} times OUTBOX_SHARDS to ${MAX_BACKLOG}`,
    parse: optional(integerIn(MAX_REQUEST_RECORDS, MAX_BACKLOG)),
  },
  DEAD_LETTER_MAX_AGE_DAYS: {
    range: [1, MAX_DEAD_LETTER_DAYS],
    rule: `must be a whole number from 1 to ${MAX_DEAD_LETTER_DAYS}`,
    parse: optional(integerIn(1, MAX_DEAD_LETTER_DAYS)),
  },
  IDENTITY: {
    otherwise: 'off',
    rule: 'must be off, optional or required',
    parse: oneOf(IDENTITY_MODES),
  },
  IDENTITY_KEY: UNCHECKED,
  BOTS: {
    otherwise: 'count',
    rule: 'must be off, count or refuse',
    parse: oneOf(BOT_MODES),
  },
  TRACKING_PLAN: {
    rule: 'must be off, report or enforce',
    parse: optional(oneOf(PLAN_MODES)),
  },
} satisfies Readonly<Record<string, Setting<unknown>>>;

export type SettingName = keyof typeof SETTINGS;

/** The parsed value of every setting. Null if it is not set and has no default. */
export type SettingValues = {
  readonly [Name in SettingName]: Exclude<ReturnType<(typeof SETTINGS)[Name]['parse']>, undefined>;
};

function optional<Value>(
  parse: (text: string) => Value | undefined,
): (text: string) => Value | null | undefined {
  return (text) => (text === '' ? null : parse(text));
}

function matching(pattern: RegExp): (text: string) => string | undefined {
  return (text) => (pattern.test(text) ? text : undefined);
}

function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word | undefined {
  return (text) => words.find((word) => word === text);
}

/** The floors of the live, server and import lane, as shares from 0 to 1. */
function parseLaneFloors(text: string): Readonly<Record<Lane, number>> | undefined {
  const [, ...texts] = /^(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})$/.exec(text) ?? [];
  const [live = 0, server = 0, imports = 0] = texts.map(Number);
  const isValid = Math.min(live, server, imports) >= 1 && live + server + imports <= 100;
  return isValid ? { live: live / 100, server: server / 100, import: imports / 100 } : undefined;
}

function integerIn(min: number, max: number): (text: string) => number | undefined {
  return (text) => {
    const value = Number(text);
    return Number.isInteger(value) && value >= min && value <= max ? value : undefined;
  };
}

function wholeNumber(otherwise: number, min: number, max: number): Setting<number> {
  return {
    otherwise: `${otherwise}`,
    range: [min, max],
    rule: `must be a whole number from ${min} to ${max}`,
    parse: integerIn(min, max),
  };
}
