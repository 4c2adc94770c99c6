import type { AlertName } from '../../src/edge/alerts/alert.ts';
import type { ControlOrder } from '../../src/sandbox/control.ts';

/** An alert that has to fire, within how many minutes after its fault begins. */
type Firing<Name> = { readonly name: Name; readonly withinMinutes: number };

/** A fault, and everything that has to follow from it. */
export type Scenario = {
  readonly fault: string;
  /** How WebEngage behaves during the fault. */
  readonly order?: ControlOrder;
  /** The setting or binding that is missing during the fault. */
  readonly missing?: 'OUTBOX' | 'WEBENGAGE_LICENSE_CODE';
  /** One event in a hundred is one that WebEngage refuses. */
  readonly refusedEvents?: boolean;
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
      { name: 'WebEngageRelayDeliversLateFast', withinMinutes: 25 },
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
      { name: 'WebEngageRelayDeliversLateFast', withinMinutes: 25 },
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
    minutes: 10,
    overAfterMinutes: 12,
    // What was accepted just before waits for ten minutes, and is sent at once.
    alerts: [
      { name: 'broken', withinMinutes: 2 },
      { name: 'stale', withinMinutes: 12 },
    ],
    rules: [{ name: 'WebEngageRelayDown', withinMinutes: 7 }],
  },
];
