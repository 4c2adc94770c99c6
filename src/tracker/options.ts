import { MAX_AGE_MS, MAX_BATCH_RECORDS } from '../contract/batch.ts';
import type { AddOn } from './add-ons/add-on.ts';
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

export type Settings = Required<Omit<TrackerOptions, 'plugins'>>;

/** The name of all that the trackers of an endpoint share: database, lock, sync event. */
export function nameOf(endpoint: string): string {
  return `webengage-relay:${endpoint}`;
}

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

// Settings that an add-on understands. Without it they must not be passed over: the page would do what it must not.
const OF_ADD_ONS = /^(consent|respectGpc|identityToken|strict)$/;

/**
 * Fills in the defaults. A number that is out of bounds is put to the nearest bound, one that is none to the default.
 * Throws a `RangeError` for an impossible endpoint, and for a setting that needs an add-on.
 */
export function resolveOptions(options: TrackerOptions): Settings {
  const given: { readonly [name: string]: unknown } = ownFields(options);
  for (const name in given)
    if (OF_ADD_ONS.test(name) && given[name] && given[name] !== 'granted')
      throw new RangeError(`${name} needs tracker.full.js or a plugin`);

  // Not `URL.canParse`: Safari has it only since 17. Without the slashes at its end.
  const endpoint = /^(https?:\/\/[^/?#\s][^?#\s]*?)\/*$/i.exec(`${given.endpoint}`)?.[1];
  if (!endpoint) throw new RangeError(`endpoint must be an http or https URL, not ${given.endpoint}`);
  const skipRepeatedIdentify = given.skipRepeatedIdentify ?? true;
  const settings: { [name: string]: unknown } = { ...given, endpoint, skipRepeatedIdentify };
  let name: keyof typeof NUMBERS;
  for (name in NUMBERS) {
    const [otherwise, least, most] = NUMBERS[name];
    settings[name] = Math.floor(Math.max(least, Math.min(most, Number(given[name]) || otherwise)));
  }
  // Each of them was filled in, with its own type.
  return settings as Settings;
}
