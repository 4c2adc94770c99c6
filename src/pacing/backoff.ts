export type BackoffLimits = {
  /** The longest first wait. */
  readonly baseMs: number;
  /** No wait is longer, however many failures came before. */
  readonly capMs: number;
};

/**
 * How long to wait after the n-th failure in a row, n from 1: a random share, at least half, of a doubling bound.
 * Half of it is fixed so that no client comes back at once; the rest is chance so that clients do not come back together.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ("equal jitter")
 *
 * @param random from 0 to 1, 1 excluded
 */
export function backoffMs(failures: number, { baseMs, capMs }: BackoffLimits, random: number): number {
  const bound = Math.min(capMs, baseMs * 2 ** (failures - 1));
  return Math.round(bound / 2 + (bound / 2) * random);
}
