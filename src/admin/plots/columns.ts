import type { Minute } from './last-hour.ts';

// Of the plot's height: a single call must be seen, and a single failed one on top of 500.
const LEAST_ACCEPTED = 0.012;
const LEAST_FAILED = 0.03;
// Room above the limit, so that its line is inside.
const HEADROOM = 1.15;

/** How high each minute's column of calls is drawn, and how much of it from below is accepted calls: few are still seen. */
export type CallColumns = { readonly all: number[]; readonly accepted: number[] };

export function callColumns(hour: readonly Minute[], limit: number): CallColumns {
  const top = callTop(Math.max(limit, ...hour.map(({ calls }) => calls)));
  const accepted = hour.map(({ calls, failed }) => visible(calls - failed, LEAST_ACCEPTED * top));
  const all = hour.map(({ failed }, index) => (accepted[index] ?? 0) + visible(failed, LEAST_FAILED * top));
  return { all, accepted };
}

function visible(calls: number, least: number): number {
  return calls <= 0 ? 0 : Math.max(calls, least);
}

/** The top of the axis of calls, given the most there is to show: the limit is always inside. */
export function callTop(most: number): number {
  return HEADROOM * Math.max(1, most);
}

/** The next round number: an axis that a reader can halve in the head, and that does not jitter. */
export function roundTop(most: number): number {
  if (most <= 10) return 10;
  const magnitude = 10 ** Math.floor(Math.log10(most));
  return magnitude * ([1, 1.5, 2, 3, 4, 6, 8].find((step) => step * magnitude >= most) ?? 10);
}
