import { MAX_AGE_MS, MAX_BATCH_RECORDS } from '../contract/batch.ts';
import type { AddOn } from './add-ons/add-on.ts';
import type { Settings } from './page/settings.ts';
import { ownFields } from './record/own-fields.ts';

/** What a tracker is made with. The script tag has them as attributes: `batchSize` is `data-batch-size`. */
export type TrackerOptions = {
  /** The relay's address, as `https://t.example.com`. Absolute, http or https. */
  readonly endpoint: string;

  /**
   * Records sent together. Waiting records are sent as soon as there are so many.
   *
   * @default 25, which is also the most
   */
  readonly batchSize?: number;

  /**
   * How long a record may wait for others before it is sent anyway.
   * A hidden page does not wait: it flushes at once.
   *
   * @default 5000
   */
  readonly maxWaitMs?: number;

  /**
   * Requests to the relay, of all tabs together. At most 500, the whole account's allowance.
   *
   * @default 60
   */
  readonly requestsPerMinute?: number;

  /**
   * Requests that may leave at once after a rest.
   *
   * @default 5
   */
  readonly burst?: number;

  /**
   * Records kept while they can't be sent. Over it the oldest are dropped, and `dropped` tells.
   *
   * @default 10000
   */
  readonly maxRecords?: number;

  /**
   * How long a record is kept while it can't be sent. At most 7 days: the relay refuses older ones.
   *
   * @default 604800000
   */
  readonly maxAgeMs?: number;

  /**
   * Leave out an `identify` that says nothing new since the last ones of this visitor.
   * Sites call it on every page, and each would cost a record.
   *
   * @default true
   */
  readonly skipRepeatedIdentify?: boolean;

  /**
   * Have the site's service worker send what a page could not, once there is a network, whether the page is closed or not.
   * For sites whose service worker calls `syncInBackground`. Only Chromium has it; elsewhere nothing happens.
   *
   * @default false
   */
  readonly backgroundSync?: boolean;

  /**
   * Writes to the console what becomes of each record: ids, reasons, fields and rules, and no value. With `'data'` it
   * writes the records too, personal data included: for development.
   *
   * @default false
   */
  readonly debug?: boolean | 'data';

  /**
   * Add-ons: `consent()`, `identityTokens()`, `checks()`.
   *
   * @default none
   */
  readonly plugins?: readonly AddOn[];
};

/** Options as a page may give them: what stands there is anything. */
export type OptionsLike = {
  readonly plugins?: readonly AddOn[];
  readonly [name: string]: unknown;
};

// WebEngage's limit for the whole account: no single browser needs more.
const ACCOUNT_REQUESTS_PER_MINUTE = 500;

/** Of each number the default, the least and the most. */
const NUMBERS = {
  batchSize: [MAX_BATCH_RECORDS, 1, MAX_BATCH_RECORDS],
  maxWaitMs: [5_000, 100, 3_600_000],
  requestsPerMinute: [60, 1, ACCOUNT_REQUESTS_PER_MINUTE],
  burst: [5, 1, 100],
  maxRecords: [10_000, 100, 1_000_000],
  maxAgeMs: [MAX_AGE_MS, 60_000, MAX_AGE_MS],
} as const;

/** Settings that an add-on understands, with what asks for nothing. */
export const ADD_ON_SETTINGS: { readonly [name: string]: unknown } = ownFields({
  consent: 'granted',
  respectGpc: false,
  identityToken: undefined,
  strict: false,
});

/**
 * Throws a `RangeError` for a setting that only an add-on understands. Without it the setting must not be passed over: the
 * page would do what it must not.
 */
export function refuseAddOnSettings(given: { readonly [name: string]: unknown }): void {
  for (const name in ADD_ON_SETTINGS)
    if (name in given && given[name] !== ADD_ON_SETTINGS[name])
      throw new RangeError(`${name}: ${given[name]} needs tracker.full.js, or its add-on in plugins`);
}

/** Fills in the defaults. Throws a `RangeError` that names the option, the rule and the remedy. */
export function resolveOptions(options: TrackerOptions | OptionsLike): Settings {
  const given: { readonly [name: string]: unknown } = ownFields(options);
  const mustBe = (name: string, rule: string): never => {
    throw new RangeError(`${name} must be ${rule}, not ${given[name]}`);
  };
  refuseAddOnSettings(given);

  // Not `URL.canParse`: Safari has it only since 17. Without the slashes at its end.
  const endpoint =
    /^(https?:\/\/[^/?#\s][^?#\s]*?)\/*$/i.exec(`${given.endpoint}`)?.[1] ??
    mustBe('endpoint', 'an http or https URL');
  const settings: { [name: string]: unknown } = {
    endpoint,
    skipRepeatedIdentify: given.skipRepeatedIdentify ?? true,
    backgroundSync: given.backgroundSync,
    debug: given.debug,
  };
  let name: keyof typeof NUMBERS;
  for (name in NUMBERS) {
    // A page can have put names on every object.
    if (!Object.hasOwn(NUMBERS, name)) continue;
    const [otherwise, least, most] = NUMBERS[name];
    const value = Number(given[name] ?? otherwise);
    if (!(value >= least && value <= most)) mustBe(name, `from ${least} to ${most}`);
    settings[name] = Math.floor(value);
  }
  // Each of them was filled in, with its own type.
  return settings as Settings;
}
