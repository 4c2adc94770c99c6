import type { Rejection } from '../../contract/answer.ts';
import type { DropReason, Repair, RetryReason } from '../record/outcome.ts';

/** The events that `on` reports, by name. No event contains the value of an attribute. */
export type TrackerEvents = {
  /** The relay has stored these records. It already had `duplicates` of them. */
  delivered: { readonly ids: readonly string[]; readonly duplicates: number };
  /** The relay refuses this record for good. `issues` name each field and rule. */
  rejected: Rejection;
  /** The tracker gave up these records. */
  dropped: { readonly ids: readonly string[]; readonly reason: DropReason };
  /**
   * Part of a record was cut or left out so that the rest could be sent.
   * `record` is the event's name, or `identify`. `id` is the record's, if the relay made the repair. The
   * tracker reports its own repairs at the call.
   */
  repaired: Repair & { readonly record?: string; readonly id?: string };
  /** Sending failed, and the tracker tries again in `inMs`. The records are kept. */
  retrying: { readonly reason: RetryReason; readonly inMs: number };
  /** Records no longer outlive the page: IndexedDB is missing or broken. */
  degraded: { readonly reason: string };
  /**
   * The site has supplied no `anonymousId` in time. Anonymous records go under a random id of the tracker, and
   * WebEngage does not merge them into the user who signs in.
   */
  unmerged: { readonly waitedMs: number };
  /**
   * The page has called `reset()` or `optOut()`. Calls that a listener makes at a `reset()` still belong to the
   * visitor who logs out.
   */
  reset: { readonly optedOut: boolean };
};

/**
 * A listener for `on`. If it throws, the page's own error handling gets the error. Nothing else is affected.
 */
export type Listener<Name extends keyof TrackerEvents> = (payload: TrackerEvents[Name]) => void;

export type Emit = <Name extends keyof TrackerEvents>(name: Name, payload: TrackerEvents[Name]) => void;

export type Emitter = {
  readonly emit: Emit;
  /** Returns a function that removes the listener. */
  readonly on: <Name extends keyof TrackerEvents>(name: Name, listener: Listener<Name>) => () => void;
};

/**
 * A list whose items may add and remove themselves while it is iterated. `add` returns a function
 * that removes the item.
 */
export type Registry<T> = { readonly add: (item: T) => () => void; readonly all: () => readonly T[] };

export function createRegistry<T>(): Registry<T> {
  // Never mutated: a caller in the middle of a loop sees the items that were there when it began.
  let all: readonly T[] = [];
  return {
    add: (item) => {
      all = [...all, item];
      return () => {
        all = all.filter((other) => other !== item);
      };
    },
    all: () => all,
  };
}

/**
 * Reports the outcomes of records to listeners. One that throws harms neither the tracker nor the others.
 *
 * @param report is given what a listener throws
 * @param debug writes all events to the console
 */
export function createEmitter(report: (error: unknown) => void, debug: boolean | 'data' = false): Emitter {
  const listeners = createRegistry<Emit>();

  return {
    emit(name, payload) {
      if (debug) console.log('webengage-relay', name, payload);
      for (const listen of listeners.all()) {
        try {
          listen(name, payload);
        } catch (error) {
          report(error);
        }
      }
    },
    // Wrapped in a function of its own: a listener added twice is called twice, and removed one at a time.
    on: (name, listener) =>
      listeners.add((other, payload) => other === (name as string) && listener(payload as never)),
  };
}
