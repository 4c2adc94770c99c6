import type { Call } from '../record/call.ts';

/** Takes calls, and resolves once what they make is durable. */
export type WriteQueue = {
  readonly add: (call: Call) => Promise<void>;
  /** The calls that are not durable yet, oldest first. */
  readonly pending: () => readonly Call[];
  /** Lets go the calls that have been gathered for the next transaction; answers with them. */
  readonly discard: () => readonly Call[];
  /** Has the append run once more, with or without calls; resolves when it is done. */
  readonly touch: () => Promise<void>;
  /** Resolves when the calls taken so far are written. */
  readonly drained: () => Promise<void>;
};

type Group = { readonly calls: Call[]; readonly written: Promise<void> };

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
    const take = () => {
      if (open === group) open = undefined;
      writing = calls;
      return calls;
    };
    const written = new Promise<void>((resolve, reject) => {
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
    const group = { calls, written };
    return group;
  }

  return {
    add: (call) => {
      open ??= begin();
      open.calls.push(call);
      return open.written;
    },
    pending: () => [...writing, ...(open?.calls ?? [])],
    discard: () => open?.calls.splice(0) ?? [],
    touch: () => {
      open ??= begin();
      return open.written;
    },
    drained: async () => void (await last),
  };
}
