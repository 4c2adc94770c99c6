import type { Call } from '../record/call.ts';

/** Calls that wait in memory for the visitor's choice. */
export type PendingCalls = {
  /** Resolves once the call is made or discarded. */
  readonly add: (call: Call) => Promise<void>;
  /** Makes all of them, in the order they came. */
  readonly release: (make: (call: Call) => Promise<void>) => void;
  readonly discard: () => void;
};

/**
 * Beyond `most` calls, discards the oldest event. An `identify` or a `reset` stays as long as there is one:
 * without it, the events after it would belong to someone else.
 *
 * @param dropped is called with each call that had no room
 */
export function pendingCalls(most: number, dropped: (call: Call) => void): PendingCalls {
  let waiting: { readonly call: Call; readonly resolve: (made?: Promise<void>) => void }[] = [];

  const takeAll = () => {
    const all = waiting;
    waiting = [];
    return all;
  };

  return {
    add: (call) =>
      new Promise<void>((resolve) => {
        waiting[waiting.length] = { call, resolve };
        if (waiting.length <= most) return;
        const oldest = waiting.find(({ call: { kind } }) => kind === 'event') ?? waiting[0];
        waiting = waiting.filter((each) => each !== oldest);
        if (!oldest) return;
        oldest.resolve();
        dropped(oldest.call);
      }),
    release: (make) => {
      for (const { call, resolve } of takeAll()) resolve(make(call));
    },
    discard: () => {
      for (const { resolve } of takeAll()) resolve();
    },
  };
}
