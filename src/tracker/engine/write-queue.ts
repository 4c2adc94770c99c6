import type { Entry } from '../store/record-store.ts';

/** Takes calls, and resolves once what they make is durable. */
export type Intake<Call> = {
  readonly add: (call: Call) => Promise<void>;
  /** The calls of which no record has been made yet. */
  readonly gathered: () => readonly Call[];
  /** Makes records of what has been taken, though it can't be written yet: the page is being left. */
  readonly close: () => void;
  /** Resolves when the calls taken so far are written. */
  readonly written: () => Promise<void>;
};

type Group<Call> = {
  readonly calls: Call[];
  readonly entries: () => readonly Entry[];
  readonly written: Promise<void>;
};

/**
 * Gathers calls, so that they are written together: those of one task, in a transaction that begins in that task, or
 * those made while another is under way. A page that tracks all the time pays for few transactions.
 *
 * @param ready until then calls are only gathered: who the visitor is has yet to be read
 * @param writeUp makes records of calls
 * @param append resolves once they are durable; there may be none: not each call makes a record
 * @param left records of earlier pages, that go before anything else
 */
export function createIntake<Call>(
  ready: Promise<void>,
  writeUp: (calls: readonly Call[]) => readonly Entry[],
  append: (entries: readonly Entry[]) => Promise<void>,
  left: readonly Entry[],
): Intake<Call> {
  let open: Group<Call> | undefined;
  let last = ready;

  function begin(made?: readonly Entry[]): Group<Call> {
    const calls: Call[] = [];
    let entries = made;
    const group: Group<Call> = {
      calls,
      entries: () => {
        if (open === group) open = undefined;
        entries ??= writeUp(calls);
        return entries;
      },
      // Behind what is being written: what is called meanwhile then shares one transaction, and keeps its order.
      written: last.then(() => append(group.entries())),
    };
    last = group.written.catch(() => {}); // One that fails is told of it; those after it go on.
    return group;
  }

  if (left.length > 0) begin(left);
  return {
    add: (call) => {
      open ??= begin();
      open.calls.push(call);
      return open.written;
    },
    gathered: () => open?.calls ?? [],
    close: () => void open?.entries(),
    written: () => last,
  };
}
