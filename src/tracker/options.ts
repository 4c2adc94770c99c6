import { MAX_AGE_MS, MAX_BATCH_RECORDS } from '../contract/batch.ts';
import type { IdentityToken } from './delivery/identity-tokens.ts';

const CONSENTS = ['granted', 'pending', 'denied'] as const;

/** What holds until the visitor has chosen. */
export type Consent = (typeof CONSENTS)[number];

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
   * For development: reject a call whose attributes would be cut or left out, in place of repairing them.
   *
   * @default false
   */
  readonly strict?: boolean;

  /**
   * Leave out an `identify` that says nothing new since the last one of this visitor.
   * Sites call it on every page, and each would cost a record.
   *
   * @default true
   */
  readonly skipRepeatedIdentify?: boolean;

  /**
   * Have the site's service worker send what a page could not, once there is a network, be the page closed or not.
   * For sites whose service worker calls `syncInBackground`. Only Chromium has it; elsewhere nothing happens.
   *
   * @default false
   */
  readonly backgroundSync?: boolean;

  /**
   * Whether anything may be kept or sent, until `optIn()` or `optOut()` is called on this page, as it must be on each.
   * `granted`: from the start. `pending`: calls wait in memory, with the time they were made; `optIn()` has them made,
   * `optOut()` lets them go, and until then nothing of the browser's storage is as much as looked at. `denied`: the
   * same, but calls resolve and make nothing.
   *
   * @default 'granted'
   */
  readonly consent?: Consent;

  /**
   * Take Global Privacy Control, where the visitor's browser sends it, for `consent: 'denied'`. `optIn()` is still a yes.
   * https://www.w3.org/TR/gpc/
   *
   * @default false
   */
  readonly respectGpc?: boolean;

  /**
   * Gets an identity token from your server, for the user who is signed in: a JWT with this `userId` as `cuid`.
   * Called when records of theirs are to be sent, and again before the token ends or when the relay refuses it; never
   * twice at once. With it no record with a `userId` leaves without a token: where none comes within 10 s, it waits.
   *
   * @default none: records leave without a token
   */
  readonly identityToken?: IdentityToken;
};

type Optional = 'identityToken';

export type Settings = Required<Omit<TrackerOptions, Optional>> & Pick<TrackerOptions, Optional>;

/** The name of all that the trackers of an endpoint share: database, lock, sync event. */
export function nameOf(endpoint: string): string {
  return `webengage-relay:${endpoint}`;
}

// WebEngage's limit for the whole account: no single browser needs more.
const ACCOUNT_REQUESTS_PER_MINUTE = 500;

/** Each option's default; of a number the least and the most, too. */
const OPTIONS: {
  readonly [name in Exclude<keyof Settings, 'endpoint' | Optional>]: readonly [
    Settings[name],
    least?: number,
    most?: number,
  ];
} = {
  batchSize: [MAX_BATCH_RECORDS, 1, MAX_BATCH_RECORDS],
  maxWaitMs: [5_000, 100, 3_600_000],
  requestsPerMinute: [60, 1, ACCOUNT_REQUESTS_PER_MINUTE],
  burst: [5, 1, 100],
  maxRecords: [10_000, 100, 1_000_000],
  maxAgeMs: [MAX_AGE_MS, 60_000, MAX_AGE_MS],
  strict: [false],
  skipRepeatedIdentify: [true],
  backgroundSync: [false],
  consent: ['granted'],
  respectGpc: [false],
};

/** Fills in the defaults. Throws a `RangeError` that names the option and the rule. */
export function resolveOptions(options: TrackerOptions): Settings {
  const mustBe = (name: string, rule: string, value: unknown) => {
    throw new RangeError(`${name} must be ${rule}, not ${value}`);
  };
  // Not `URL.canParse`: Safari has it only since 17. Without the slashes at its end.
  const endpoint =
    /^(https?:\/\/[^/?#\s][^?#\s]*?)\/*$/i.exec(options.endpoint)?.[1] ??
    mustBe('endpoint', 'an http or https URL', options.endpoint);

  const settings = Object.entries(OPTIONS).map(([name, [otherwise, least, most = 0]]) => {
    // What is a flag is held against nothing.
    const value = (options[name as keyof typeof OPTIONS] ?? otherwise) as number;
    return least === undefined || (Number.isInteger(value) && value >= least && value <= most)
      ? [name, value]
      : mustBe(name, `a whole number from ${least} to ${most}`, value);
  });
  const { identityToken, consent = 'granted' } = options;
  if (!CONSENTS.includes(consent)) mustBe('consent', `one of ${CONSENTS.join(', ')}`, consent);
  if (identityToken && typeof identityToken !== 'function')
    mustBe('identityToken', 'a function', identityToken);
  return {
    // All the others are in the table, each with its own type.
    ...(Object.fromEntries(settings) as Settings),
    endpoint,
    ...(identityToken && { identityToken }),
  };
}
