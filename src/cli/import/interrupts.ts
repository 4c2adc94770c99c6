/** Signals that ask this process to end. */
type Signals = {
  readonly on: (signal: NodeJS.Signals, run: () => void) => unknown;
  readonly off: (signal: NodeJS.Signals, run: () => void) => unknown;
};

// npx passes Ctrl-C on to a process that has already received it from the terminal.
const SAME_MS = 500;

/**
 * Listens for Ctrl-C and the other signals that ask this process to end. Returns a function that stops listening.
 *
 * @param first runs at the first one
 * @param again runs at each later one
 */
export function onInterrupt(
  process: Signals,
  now: () => number,
  first: () => void,
  again: () => void,
): () => void {
  let firstAt: number | undefined;
  const run = () => {
    if (firstAt === undefined) {
      firstAt = now();
      first();
    } else if (now() - firstAt > SAME_MS) again();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, run);
  return () => {
    for (const signal of signals) process.off(signal, run);
  };
}
