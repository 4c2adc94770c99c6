import type { Call } from '../record/call.ts';

/** Takes calls, and resolves once what they make is durable. */
export type WriteQueue = {
  readonly add: (call: Call) => Promise<void>;
  /** The calls that are not durable yet, oldest first. */
  readonly pending: () => readonly Call[];
  /** How many calls have been gathered for the next transaction. */
  readonly gathered: () => number;
  /** Lets the oldest gathered event go; answers with it. Without the `identify` or `reset` before them others would be somebody else's. */
  readonly dropOldestEvent: () => Call | undefined;
  /** Lets go the gathered calls; their promises resolve. */
  readonly discard: () => void;
  /** Has the append run once more, with or without calls; resolves when it is done. */
  readonly touch: () => Promise<void>;
  /** Resolves when the calls taken so far are written. */
  readonly drained: () => Promise<void>;
};

type Group = { readonly calls: Call[]; readonly written: Promise<void>; readonly end: () => void };

/**
 * Gathers calls, so that they are written together: those of one task, in a transaction that begins in that task, or
 * those made while another is under way. A page that tracks all the time pays for few transactions.
 *
 * @param ready until then calls are only gathered
 * @param append resolves once the calls are durable, with what is to be done once they are no longer pending. Calls may
 * join until it takes them.
 */
export function createWriteQueue(
  ready: Promise<unknown>,
  append: (take: () => readonly Call[]) => Promise<() => void>,
): WriteQueue {
  let open: Group | undefined;
  let writing: readonly Call[] = [];
  let last: Promise<unknown> = ready;

  function begin(): Group {
    const calls: Call[] = [];
    let end = () => {};
    const take = () => {
      if (open === group) open = undefined;
      writing = calls;
      return calls;
    };
    const written = new Promise<void>((resolve, reject) => {
      end = resolve;
      // Behind what is being written: the calls made meanwhile then share one transaction, and keep their order.
      last = last
        .then(() => append(take))
        .finally(() => {
          take();
          writing = [];
        })
        .then((finish) => {
          finish();
          resolve();
        })
        // A group that fails is told of it; those after it go on.
        .catch(reject);
    });
    written.catch(() => {}); // Its callers are told; there may be none.
    const group = { calls, written, end: () => end() };
    return group;
  }

  return {
    add: (call) => {
      open ??= begin();
      open.calls.push(call);
      return open.written;
    },
    pending: () => [...writing, ...(open?.calls ?? [])],
    gathered: () => open?.calls.length ?? 0,
    dropOldestEvent: () => {
      const at = open?.calls.findIndex(({ kind }) => kind === 'event') ?? 0;
      return open?.calls.splice(Math.max(at, 0), 1)[0];
    },
    discard: () => {
      open?.calls.splice(0);
      open?.end();
    },
    touch: () => (open ??= begin()).written,
    drained: async () => void (await last),
  };
}
