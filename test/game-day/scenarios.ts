import type { AlertName } from '../../src/edge/alerts/alert.ts';
import type { ControlOrder } from '../../src/sandbox/control.ts';

/** An alert that has to fire, within how many minutes after its fault begins. */
type Firing<Name> = { readonly name: Name; readonly withinMinutes: number };

/** Who sends far more than the account may send on. */
export type FloodSource = 'server' | 'browser';

/** A fault, and everything that has to follow from it. */
export type Scenario = {
  readonly fault: string;
  /** Settings of the relay on that day, in place of their defaults. */
  readonly settings?: Readonly<Record<string, string>>;
  /** How WebEngage behaves during the fault. */
  readonly order?: ControlOrder;
  /** The setting or binding that is missing during the fault. */
  readonly missing?: 'OUTBOX' | 'WEBENGAGE_LICENSE_CODE';
  /** One event in a hundred is one that WebEngage refuses. */
  readonly refusedEvents?: boolean;
  /** Events that browsers send in each minute of the fault, if not the usual number. */
  readonly perMinute?: number;
  /** One source that sends besides, and how many events a minute. */
  readonly flood?: { readonly from: FloodSource; readonly perMinute: number };
  /** What senders are told of batches that are not taken, with the status: this, and nothing else. */
  readonly refusals?: readonly string[];
  /** WebEngage gets each event of a visitor within so many seconds. */
  readonly promptSeconds?: number;
  /** How long the fault lasts. */
  readonly minutes: number;
  /** How long after it until nothing fires any more. */
  readonly overAfterMinutes: number;
  /** The alerts of the relay: these, and no other. */
  readonly alerts: readonly Firing<AlertName>[];
  /** The alerts of ops/prometheus/rules.yml: these, and no other. */
  readonly rules: readonly Firing<string>[];
};

/** How long each day is quiet before its fault. */
export const QUIET_MINUTES = 5;

/** Events that browsers send in each minute. */
export const USUAL_PER_MINUTE = 25;

const FULL = '503 the relay is full: keep the records, and send them later';
const OVER_QUOTA = '429 this sender is over its quota: keep the records, and send them later';

// `stale` has 5 minutes and `late` 15, and both 2 more. A rule has its own `for`, and two evaluations.
export const SCENARIOS: readonly Scenario[] = [
  {
    fault: 'none, for an hour',
    minutes: 55,
    overAfterMinutes: 0,
    alerts: [],
    rules: [],
  },
  {
    fault: 'WebEngage takes 3 seconds for an answer',
    order: { fault: 'slow', delayMs: 3_000 },
    minutes: 15,
    overAfterMinutes: 5,
    alerts: [],
    rules: [],
  },
  {
    fault: 'WebEngage is down',
    order: { fault: 'down' },
    minutes: 20,
    overAfterMinutes: 36,
    alerts: [
      { name: 'doubles_possible', withinMinutes: 7 },
      { name: 'stale', withinMinutes: 7 },
      { name: 'late', withinMinutes: 17 },
    ],
    rules: [
      { name: 'WebEngageRelayStale', withinMinutes: 17 },
      { name: 'WebEngageRelayDeliversLateSlow', withinMinutes: 25 },
    ],
  },
  {
    fault: 'WebEngage takes 15 seconds for an answer',
    order: { fault: 'slow', delayMs: 15_000 },
    minutes: 20,
    overAfterMinutes: 36,
    alerts: [
      { name: 'doubles_possible', withinMinutes: 7 },
      { name: 'stale', withinMinutes: 7 },
      { name: 'late', withinMinutes: 17 },
    ],
    rules: [
      { name: 'WebEngageRelayStale', withinMinutes: 17 },
      { name: 'WebEngageRelayDeliversLateSlow', withinMinutes: 25 },
    ],
  },
  {
    fault: 'the API key is wrong',
    order: { acceptKeys: ['another-key'] },
    // Shorter than the 5 minutes after which a record is late, with the minute until the next try.
    minutes: 3.5,
    overAfterMinutes: 12.5,
    alerts: [{ name: 'suspended', withinMinutes: 2 }],
    rules: [{ name: 'WebEngageRelaySuspended', withinMinutes: 4 }],
  },
  {
    fault: 'WebEngage refuses 1 % of the records',
    order: { refuse: { field: 'eventName', value: 'Refused' } },
    refusedEvents: true,
    minutes: 10,
    overAfterMinutes: 66,
    alerts: [{ name: 'dead_letters', withinMinutes: 2 }],
    rules: [{ name: 'WebEngageRelayDeadLetters', withinMinutes: 3 }],
  },
  {
    fault: 'the binding OUTBOX is missing',
    missing: 'OUTBOX',
    refusals: [
      "503 OUTBOX must be bound to a Durable Object: add it to durable_objects in wrangler.jsonc, with a compatibility_date no older than the package's, and deploy",
    ],
    minutes: 10,
    overAfterMinutes: 36,
    alerts: [{ name: 'broken', withinMinutes: 2 }],
    rules: [
      { name: 'WebEngageRelayNotTakingFast', withinMinutes: 5 },
      { name: 'WebEngageRelayNotTakingSlow', withinMinutes: 5 },
      { name: 'WebEngageRelayBindingMissing', withinMinutes: 4 },
    ],
  },
  {
    fault: 'WEBENGAGE_LICENSE_CODE is missing',
    missing: 'WEBENGAGE_LICENSE_CODE',
    refusals: ['503 WEBENGAGE_LICENSE_CODE must be set, and hold only letters, digits, ~, _ and -'],
    minutes: 10,
    overAfterMinutes: 12,
    // What was accepted just before waits for ten minutes, and is sent at once.
    alerts: [
      { name: 'broken', withinMinutes: 2 },
      { name: 'stale', withinMinutes: 12 },
    ],
    rules: [{ name: 'WebEngageRelayDown', withinMinutes: 7 }],
  },
  {
    fault: 'the API key is wrong, and the outbox has room for 400 records',
    settings: { MAX_BACKLOG: '400' },
    order: { acceptKeys: ['another-key'] },
    perMinute: 100,
    refusals: [FULL],
    minutes: 11,
    overAfterMinutes: 38,
    // 80 % of the room is used after 3.2 minutes, and all of it after 4.
    alerts: [
      { name: 'suspended', withinMinutes: 2 },
      { name: 'filling', withinMinutes: 5.2 },
      { name: 'full', withinMinutes: 6 },
    ],
    rules: [
      { name: 'WebEngageRelaySuspended', withinMinutes: 4 },
      { name: 'WebEngageRelayNotTakingFast', withinMinutes: 9 },
      { name: 'WebEngageRelayNotTakingSlow', withinMinutes: 9 },
      { name: 'WebEngageRelayOutboxFull', withinMinutes: 11 },
      { name: 'WebEngageRelayDeliversLateSlow', withinMinutes: 16 },
    ],
  },
  {
    fault: 'a server sends twice what the account may send',
    settings: { REQUESTS_PER_MINUTE: '10', ALERT_LATE_MS: '180000' },
    flood: { from: 'server', perMinute: 500 },
    promptSeconds: 30,
    minutes: 6,
    overAfterMinutes: 48,
    // Three of five records wait, so the oldest is 3 minutes old after 5.
    alerts: [{ name: 'late', withinMinutes: 7 }],
    rules: [{ name: 'WebEngageRelayDeliversLateSlow', withinMinutes: 13 }],
  },
  {
    fault: 'a long flood: a server sends twice what the account may send',
    settings: { REQUESTS_PER_MINUTE: '10', ALERT_LATE_MS: '180000' },
    flood: { from: 'server', perMinute: 500 },
    promptSeconds: 30,
    minutes: 25,
    overAfterMinutes: 72,
    alerts: [{ name: 'late', withinMinutes: 7 }],
    // Records that waited for 5 minutes are delivered after 9, and the backlog has then grown for long.
    rules: [
      { name: 'WebEngageRelayDeliversLateSlow', withinMinutes: 13 },
      { name: 'WebEngageRelayDeliversLateFast', withinMinutes: 22 },
      { name: 'WebEngageRelayStale', withinMinutes: 27 },
      { name: 'WebEngageRelayAllowanceUsedUp', withinMinutes: 31 },
    ],
  },
  {
    fault: 'a browser sends twice what the account may send',
    settings: { REQUESTS_PER_MINUTE: '10' },
    flood: { from: 'browser', perMinute: 500 },
    refusals: [OVER_QUOTA],
    // No browser's records are put behind those of others by more than a minute.
    promptSeconds: 75,
    minutes: 3,
    overAfterMinutes: 12,
    alerts: [],
    rules: [],
  },
];
