import type { Rejection } from '../../contract/answer.ts';
import type { DropReason, Repair, RetryReason } from '../record/outcome.ts';

/** What `on` tells, by name. No value of any attribute is in it. */
export type TrackerEvents = {
  /** The relay has stored these records. `duplicates` of them it had already. */
  delivered: { readonly ids: readonly string[]; readonly duplicates: number };
  /** The relay refuses this record for good; `issues` name field and rule. */
  rejected: Rejection;
  /** The tracker gave these records up. */
  dropped: { readonly ids: readonly string[]; readonly reason: DropReason };
  /**
   * A part of a record was cut or left out so that the rest could be sent. `record`: the event's name, or `identify`. `id`:
   * the record, if the relay did it; what the tracker does itself it tells at the call.
   */
  repaired: Repair & { readonly record?: string; readonly id?: string };
  /** Sending failed, and is tried again. The records are kept. */
  retrying: { readonly reason: RetryReason; readonly inMs: number };
  /** Records no longer outlive the page: IndexedDB is missing or broken. */
  degraded: { readonly reason: string };
};

/** What `on` takes. If it throws, the page's own error handling is given the error, and nothing else suffers. */
export type Listener<Name extends keyof TrackerEvents> = (told: TrackerEvents[Name]) => void;

export type Emit = <Name extends keyof TrackerEvents>(name: Name, told: TrackerEvents[Name]) => void;

export type Emitter = {
  readonly emit: Emit;
  /** Answers with what ends it. */
  readonly on: <Name extends keyof TrackerEvents>(name: Name, listener: Listener<Name>) => () => void;
};

/** Functions that may add and remove themselves while they are gone through. `add` answers with what removes. */
export type Registry<T> = { readonly add: (item: T) => () => void; readonly all: () => readonly T[] };

export function createRegistry<T>(): Registry<T> {
  // Never changed: who goes through it hears of those that were there when it began.
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
 * Tells listeners what became of records. One that throws hurts neither the tracker nor the others.
 *
 * @param report is given what a listener throws
 * @param debug writes all of it to the console
 */
export function createEmitter(report: (error: unknown) => void, debug: boolean | 'data' = false): Emitter {
  const listeners = createRegistry<Emit>();

  return {
    emit(name, told) {
      if (debug) console.log('webengage-relay', name, told);
      for (const tell of listeners.all()) {
        try {
          tell(name, told);
        } catch (error) {
          report(error);
        }
      }
    },
    // Each in a function of its own: one that listens twice is told twice, and ends once.
    on: (name, listener) =>
      listeners.add((other, told) => other === (name as string) && listener(told as never)),
  };
}
