import type { AlertName } from '../../../src/edge/alerts/alert.ts';
import type { SettingsEnv } from '../../../src/edge/settings/settings-env.ts';
import type { ControlOrder } from '../../../src/sandbox/control.ts';

/** What fires because of a fault: within how many minutes of its begin, and what its text asks for. */
type Firing<Name> = { readonly name: Name; readonly withinMinutes: number; readonly remedy: string };

/** A fault, and everything that has to follow from it. */
export type Scenario = {
  readonly fault: string;
  readonly settings?: Partial<SettingsEnv>;
  /** Events that browsers send in each minute, all day. */
  readonly perMinute: number;
  /** How WebEngage behaves during the fault. */
  readonly order?: ControlOrder;
  /** What is deployed wrongly during the fault. Undefined: removed. */
  readonly deploy?: Readonly<Record<string, undefined>>;
  /** Events in each minute during the fault, if others. */
  readonly floodPerMinute?: number;
  /** One event in a hundred is one that WebEngage refuses. */
  readonly poison?: boolean;
  readonly minutes: number;
  /** Minutes after the fault until nothing fires any more. */
  readonly overAfterMinutes: number;
  /** The alerts of the relay: these, and no other. */
  readonly alerts: readonly Firing<AlertName>[];
  /** The alerts of Prometheus: these, and no other. */
  readonly rules: readonly Firing<string>[];
};

/** How long each day is quiet before its fault. */
export const QUIET_MINUTES = 5;

export const SCENARIOS: readonly Scenario[] = [
  { fault: 'none, for an hour', perMinute: 25, minutes: 60, overAfterMinutes: 0, alerts: [], rules: [] },
  { fault: 'WebEngage takes 3 seconds for an answer', perMinute: 25, order: { fault: 'slow', delayMs: 3_000 }, minutes: 20, overAfterMinutes: 10, alerts: [], rules: [] },
  { fault: 'WebEngage is down', perMinute: 25, order: { fault: 'down' }, minutes: 20, overAfterMinutes: 40, alerts: [], rules: [] },
  { fault: 'the API key is wrong', perMinute: 25, order: { acceptKeys: ['another-key'] }, minutes: 5, overAfterMinutes: 15, alerts: [], rules: [] },
  { fault: 'WebEngage takes 15 seconds for an answer', perMinute: 25, order: { fault: 'slow', delayMs: 15_000 }, minutes: 20, overAfterMinutes: 40, alerts: [], rules: [] },
  { fault: 'WebEngage refuses 1 % of the records', perMinute: 25, poison: true, order: { refuse: { field: 'eventName', value: 'Refused' } }, minutes: 10, overAfterMinutes: 75, alerts: [], rules: [] },
  { fault: 'an outbox fills up', perMinute: 25, floodPerMinute: 100, settings: { REQUESTS_PER_MINUTE: '2', MAX_BACKLOG: '1000' }, minutes: 25, overAfterMinutes: 60, alerts: [], rules: [] },
  { fault: 'a flood of browsers', perMinute: 25, floodPerMinute: 250, settings: { REQUESTS_PER_MINUTE: '4' }, minutes: 40, overAfterMinutes: 100, alerts: [], rules: [] },
  { fault: 'the binding OUTBOX is missing', perMinute: 25, deploy: { OUTBOX: undefined }, minutes: 15, overAfterMinutes: 40, alerts: [], rules: [] },
  { fault: 'WEBENGAGE_LICENSE_CODE is missing', perMinute: 25, deploy: { WEBENGAGE_LICENSE_CODE: undefined }, minutes: 15, overAfterMinutes: 40, alerts: [], rules: [] },
];
