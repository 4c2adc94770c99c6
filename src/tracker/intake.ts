/** Takes calls, and resolves once what they make is durable. */
export type Intake<Call> = {
  readonly add: (call: Call) => Promise<void>;
  /** Resolves when the calls taken so far are written. */
  readonly written: () => Promise<void>;
};

/**
 * Gathers the calls of one task, so that they are written together, in one transaction that begins in that task.
 *
 * @param ready until then calls are only gathered: who the visitor is has yet to be read
 */
export function createIntake<Call>(
  ready: Promise<void>,
  write: (calls: readonly Call[]) => Promise<void>,
): Intake<Call> {
  let open: { readonly calls: Call[]; readonly written: Promise<void> } | undefined;
  let last = ready;

  const begin = () => {
    const calls: Call[] = [];
    const written = ready.then(() => {
      open = undefined;
      return write(calls);
    });
    last = written;
    open = { calls, written };
    return open;
  };

  return {
    add: (call) => {
      const { calls, written } = open ?? begin();
      calls.push(call);
      return written;
    },
    written: () => last,
  };
}
