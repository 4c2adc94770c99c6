import type { Rejection } from '../../contract/answer.ts';
import type { RetryReason } from '../delivery/relay-client.ts';
import type { Repair } from '../record/repair.ts';

/** Why the tracker gave up a record. A closed list: nothing ends in any other way. */
export type DropReason =
  /** Older than `maxAgeMs`. */
  | 'expired'
  /** The buffer held more than `maxRecords`, and this was among the oldest. */
  | 'over_max_records'
  /** The visitor wants none of this any more. */
  | 'opted_out';

/** How a record ends: settled by the relay, which has stored it or refuses it for good, or given up. */
export type End = 'delivered' | 'rejected' | DropReason;

/** What `on` tells, by name. No value of any attribute is in it. */
export type TrackerEvents = {
  /** The relay has stored these records. `duplicates` of them it had already. */
  delivered: { readonly ids: readonly string[]; readonly duplicates: number };
  /** The relay refuses this record for good; `issues` name field and rule. */
  rejected: Rejection;
  /** The tracker gave these records up. */
  dropped: { readonly ids: readonly string[]; readonly reason: DropReason };
  /** An attribute was cut or left out so that its record could go. `record`: the event's name, or `identify`. */
  repaired: Repair & { readonly record: string };
  /** Sending failed, and is tried again. The records are kept. */
  retrying: { readonly reason: RetryReason; readonly inMs: number };
  /** Records no longer outlive the page: IndexedDB is missing or broken. */
  degraded: { readonly reason: string };
};

/** What `on` takes. One that throws hurts neither the tracker nor the others: the page's own error handling is given it. */
export type Listener<Name extends keyof TrackerEvents> = (told: TrackerEvents[Name]) => void;

export type Tell = <Name extends keyof TrackerEvents>(name: Name, told: TrackerEvents[Name]) => void;

/**
 * Tells listeners of what became of records. A listener that throws hurts neither the tracker nor the others.
 *
 * @param report is given what a listener throws
 */
export function createEnds(report: (error: unknown) => void): {
  readonly tell: Tell;
  readonly on: <Name extends keyof TrackerEvents>(name: Name, listener: Listener<Name>) => () => void;
} {
  const listeners = new Map<string, Set<(told: never) => void>>();

  return {
    tell(name, told) {
      for (const listener of listeners.get(name) ?? []) {
        try {
          listener(told as never);
        } catch (error) {
          report(error);
        }
      }
    },
    on(name, listener) {
      const those = listeners.get(name) ?? new Set();
      listeners.set(name, those.add(listener));
      return () => those.delete(listener);
    },
  };
}
