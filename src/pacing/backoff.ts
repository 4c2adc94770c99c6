export type BackoffLimits = {
  /** The longest wait after the first failure, in milliseconds. */
  readonly baseMs: number;
  /** The longest wait after any number of failures, in milliseconds. */
  readonly capMs: number;
};

/**
 * How long to wait after the n-th failure in a row, with n from 1. Half of a doubling bound, plus a random
 * share of the other half. The fixed half keeps a client from coming back at once. The random half keeps
 * clients from coming back together.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ("equal jitter")
 *
 * @param random from 0 to 1, 1 excluded
 */
export function backoffMs(failures: number, { baseMs, capMs }: BackoffLimits, random: number): number {
  const bound = Math.min(capMs, baseMs * 2 ** (failures - 1));
  return Math.round(bound / 2 + (bound / 2) * random);
}
