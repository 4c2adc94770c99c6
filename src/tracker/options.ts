import { MAX_AGE_MS, MAX_BATCH_RECORDS } from '../contract/batch.ts';
import type { AddOn } from './add-ons/add-on.ts';
import type { Settings } from './page/settings.ts';
import { ownFields } from './record/own-fields.ts';

/** Options of a tracker. On a script tag they are attributes: `batchSize` is `data-batch-size`. */
export type TrackerOptions = {
  /** The relay's address, such as `https://t.example.com`. Absolute, http or https. */
  readonly endpoint: string;

  /**
   * Records sent together. The tracker sends as soon as this many wait.
   *
   * @default 25, which is also the most
   */
  readonly batchSize?: number;

  /**
   * How long a record may wait for others before it is sent anyway, in milliseconds.
   * A hidden page does not wait: it flushes at once.
   * From 100 to 3600000.
   *
   * @default 5000
   */
  readonly maxWaitMs?: number;

  /**
   * Requests to the relay in a minute, from all tabs together.
   * At most 500, the allowance of the whole account.
   *
   * @default 60
   */
  readonly requestsPerMinute?: number;

  /**
   * Requests that may be sent at once after an idle period. At most 100.
   *
   * @default 5
   */
  readonly burst?: number;

  /**
   * Records to keep while they can't be sent. From 100 to 1000000.
   * Beyond this number the oldest are dropped, and reported as `dropped`.
   *
   * @default 10000
   */
  readonly maxRecords?: number;

  /**
   * How long to keep a record that can't be sent, in milliseconds.
   * At most 7 days, because the relay refuses older records. At least one minute.
   *
   * @default 604800000
   */
  readonly maxAgeMs?: number;

  /**
   * Skips an `identify` that repeats what this visitor's last ones said.
   * Sites call it on every page, and each call would cost a record.
   *
   * @default true
   */
  readonly skipRepeatedIdentify?: boolean;

  /**
   * Lets your service worker send what a page could not, once there is a network.
   * It works whether the page is closed or not. Your service worker must call `syncInBackground`. Only
   * Chromium supports this; elsewhere nothing happens.
   *
   * @default false
   */
  readonly backgroundSync?: boolean;

  /**
   * Logs the outcome of each record to the console: ids, reasons, fields and rules, but no values.
   * `'data'` also logs the values of each record that is stored, personal data included. For development.
   *
   * @default false
   */
  readonly debug?: boolean | 'data';

  /**
   * Add-ons: `consent()`, `identityTokens()` and `checks()`.
   *
   * @default none
   */
  readonly plugins?: readonly AddOn[];
};

/** Options as a page may pass them: each can have any value. */
export type OptionsLike = {
  readonly plugins?: readonly AddOn[];
  readonly [name: string]: unknown;
};

// WebEngage's limit for the whole account. No single browser needs more.
const ACCOUNT_REQUESTS_PER_MINUTE = 500;

/** Each number with its default, minimum and maximum. */
const NUMBERS: readonly (readonly [name: string, otherwise: number, least: number, most: number])[] = [
  ['batchSize', MAX_BATCH_RECORDS, 1, MAX_BATCH_RECORDS],
  ['maxWaitMs', 5_000, 100, 3_600_000],
  ['requestsPerMinute', 60, 1, ACCOUNT_REQUESTS_PER_MINUTE],
  ['burst', 5, 1, 100],
  ['maxRecords', 10_000, 100, 1_000_000],
  ['maxAgeMs', MAX_AGE_MS, 60_000, MAX_AGE_MS],
];

/** Settings that only an add-on understands, each with the value that asks for nothing. */
export const ADD_ON_SETTINGS: { readonly [name: string]: unknown } = ownFields({
  consent: 'granted',
  respectGpc: false,
  identityToken: undefined,
  strict: false,
  anonymousId: undefined,
  anonymousIdCookie: undefined,
});

/**
 * Throws a `RangeError` for a setting that only an add-on understands.
 * Without the add-on it must not be ignored: the page would do what it must not.
 */
export function refuseAddOnSettings(given: { readonly [name: string]: unknown }): void {
  for (const name in ADD_ON_SETTINGS)
    if (name in given && given[name] !== ADD_ON_SETTINGS[name])
      throw new RangeError(`${name}: ${given[name]} needs tracker.full.js, or its add-on in plugins`);
}

/**
 * Fills in the defaults. Throws a `RangeError` that names the option and the rule, or the remedy.
 *
 * @param hasAddOns there is an add-on for each setting that needs one
 */
export function resolveOptions(options: TrackerOptions | OptionsLike, hasAddOns?: boolean): Settings {
  const given: { readonly [name: string]: unknown } = ownFields(options);
  const mustBe = (name: string, rule: string): never => {
    throw new RangeError(`${name} must be ${rule}, not ${given[name]}`);
  };
  if (!hasAddOns) refuseAddOnSettings(given);

  // Not `URL.canParse`, which Safari has only since 17. The match leaves out slashes at the end.
  const endpoint =
    /^(https?:\/\/[^/?#\s][^?#\s]*?)\/*$/i.exec(`${given.endpoint}`)?.[1] ??
    mustBe('endpoint', 'an http or https URL');
  const settings: { [name: string]: unknown } = {
    endpoint,
    skipRepeatedIdentify: given.skipRepeatedIdentify ?? true,
    backgroundSync: given.backgroundSync,
    debug: given.debug,
  };
  for (const [name, otherwise, least, most] of NUMBERS) {
    const value = Number(given[name] ?? otherwise);
    if (!(value >= least && value <= most)) mustBe(name, `from ${least} to ${most}`);
    settings[name] = Math.floor(value);
  }
  // The endpoint and all numbers are set. The other fields are only tested for truth.
  return settings as Settings;
}
