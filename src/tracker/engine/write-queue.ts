import type { Call } from '../record/call.ts';

/** Takes calls, and resolves once what they make is durable. */
export type WriteQueue = {
  /** Without a call the append runs once more all the same. */
  readonly add: (call?: Call) => Promise<void>;
  /** The calls that are not durable yet, oldest first. */
  readonly pending: () => readonly Call[];
  /** Resolves when the calls taken so far are written. */
  readonly drained: () => Promise<void>;
};

/**
 * Gathers calls, so that they are written together: those of one task, in a transaction that begins in that task, or
 * those made while another is under way. A page that tracks all the time pays for few transactions.
 *
 * @param ready until then calls are only gathered
 * @param append resolves once the calls are durable. Calls may join until it takes them.
 */
export function createWriteQueue(
  ready: Promise<void>,
  append: (take: () => readonly Call[]) => Promise<void>,
): WriteQueue {
  let open: Call[] | undefined;
  let writing: readonly Call[] = [];
  let written = ready;
  let last = ready;

  function begin(): Call[] {
    const calls: Call[] = [];
    const take = () => {
      if (open === calls) open = undefined;
      writing = calls;
      return calls;
    };
    // Behind what is being written: the calls made meanwhile then share one transaction, and keep their order.
    written = last.then(() => append(take));
    // A group that fails is told of it, if it has callers; those after it go on.
    last = written.catch(take).then(() => {
      writing = [];
    });
    return calls;
  }

  return {
    add: (call) => {
      open ??= begin();
      if (call) open.push(call);
      return written;
    },
    pending: () => [...writing, ...(open ?? [])],
    drained: () => last,
  };
}
