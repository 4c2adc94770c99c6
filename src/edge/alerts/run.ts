import { type ActiveAlert, type ActiveAlerts, advance, beginnings } from './active.ts';
import type { AlertName, Figures, Notice } from './alert.ts';
import { type AlertLimits, conditionsOf, type Findings } from './conditions.ts';
import { type Attempt, EMPTY_QUEUE, enqueue, type LastDelivery, lease, type Queue, settle } from './queue.ts';

/** What the watchdog remembers from one run to the next. The rate gate stores it. */
export type AlertState = {
  readonly active: ActiveAlerts;
  /** The number of alerts that have ever begun. */
  readonly serial: number;
  /** By the fingerprint of the destination, because its address is a secret. */
  readonly queues: Readonly<Record<string, Queue>>;
  /** The outboxes that did not answer in the last run. */
  readonly silent: readonly string[];
  /** Records waited in the last run. */
  readonly isWaiting: boolean;
};

export const NO_ALERTS: AlertState = { active: {}, serial: 0, queues: {}, silent: [], isWaiting: false };

/** The messages to send, by the fingerprint of their destination. */
export type Due = Readonly<Record<string, readonly Notice[]>>;

export type Run = {
  /** The same object as before if nothing has changed. */
  readonly state: AlertState;
  readonly due: Due;
  /** Messages about the alerts that began or ended in this run. */
  readonly made: readonly Notice[];
  /** How many old messages were given up, over all destinations. */
  readonly givenUp: number;
};

/**
 * One run of the watchdog: begins and ends alerts, queues the messages, and leases those that are due. The
 * state must be stored before a message is sent. Then a message is sent at least once, whatever dies when.
 *
 * @param destinations the fingerprints of all present destinations; the queues of others are dropped
 */
export function runOf(
  state: AlertState,
  findings: Omit<Findings, 'silentBefore'>,
  { limits, destinations }: { readonly limits: AlertLimits; readonly destinations: readonly string[] },
  now: number,
): Run {
  const conditions = conditionsOf({ ...findings, silentBefore: state.silent }, limits, now);
  const { active, serial, made } = advance(state.active, state.serial, conditions, now);
  let givenUp = 0;
  const due: Record<string, readonly Notice[]> = {};
  const queues = Object.fromEntries(
    destinations.map((destination) => {
      const known = state.queues[destination];
      const queued =
        known === undefined ? enqueue(EMPTY_QUEUE, beginnings(active, now), now) : enqueue(known, made, now);
      if (known !== undefined) givenUp += known.notices.length + made.length - queued.notices.length;
      const leased = lease(queued, now);
      if (leased.due.length > 0) due[destination] = leased.due;
      return [destination, leased.queue];
    }),
  );
  const { outboxes } = findings;
  const next: AlertState = {
    active,
    serial,
    queues: hasSameValues(queues, state.queues) ? state.queues : queues,
    silent: sameOr(
      state.silent,
      outboxes.filter(({ watch }) => watch === undefined).map(({ name }) => name),
    ),
    isWaiting: outboxes.some(({ watch }) => watch !== undefined && watch.oldestAt !== null),
  };
  return { state: hasSameValues(next, state) ? state : next, due, made, givenUp };
}

/** The state after a destination was sent some messages. */
export function delivered(state: AlertState, destination: string, attempt: Attempt, now: number): AlertState {
  const queue = state.queues[destination];
  if (queue === undefined) return state;
  return { ...state, queues: { ...state.queues, [destination]: settle(queue, attempt, now) } };
}

/** True if no alert is active, no message is left, and all outboxes answered and were empty. */
export function isQuiet({ active, queues, silent, isWaiting }: AlertState): boolean {
  const isSettled = Object.values(queues).every(({ notices }) => notices.length === 0);
  return Object.keys(active).length === 0 && isSettled && silent.length === 0 && !isWaiting;
}

/** What the operator sees of the alerts. */
export type AlertReport = {
  /** The active ones, by the time they began. */
  readonly active: readonly {
    readonly alert: AlertName;
    readonly since: number;
    readonly figures: Figures;
  }[];
  /** By the fingerprint of the destination. */
  readonly queues: Readonly<Record<string, QueueReport>>;
};

export type QueueReport = { readonly waiting: number; readonly last: LastDelivery | null };

export function alertReport({ active, queues }: AlertState): AlertReport {
  const known = Object.entries(active) as [AlertName, ActiveAlert][];
  return {
    active: known
      .map(([alert, { since, figures }]) => ({ alert, since, figures }))
      .sort((a, b) => a.since - b.since),
    queues: Object.fromEntries(
      Object.entries(queues).map(([key, { notices, last }]) => [key, { waiting: notices.length, last }]),
    ),
  };
}

function hasSameValues(one: object, other: object): boolean {
  const entries = Object.entries(one);
  return (
    entries.length === Object.keys(other).length &&
    entries.every(([name, value]) => value === (other as Readonly<Record<string, unknown>>)[name])
  );
}

function sameOr(before: readonly string[], now: readonly string[]): readonly string[] {
  const isSame = before.length === now.length && before.every((name, index) => name === now[index]);
  return isSame ? before : now;
}
