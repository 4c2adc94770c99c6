/** How many amounts lie up to each bound, but above the one before, and how many lie above all of them. */
export type Histogram = { readonly counts: readonly number[]; readonly sum: number };

/** Counts an amount, or the same amount several times. */
export function observe(
  bounds: readonly number[],
  { counts, sum }: Histogram,
  amount: number,
  times = 1,
): Histogram {
  const found = bounds.findIndex((bound) => amount <= bound);
  const place = found < 0 ? bounds.length : found;
  return {
    counts: counts.map((count, index) => (index === place ? count + times : count)),
    sum: sum + amount * times,
  };
}

export function emptyHistogram(bounds: readonly number[]): Histogram {
  return { counts: [...bounds.map(() => 0), 0], sum: 0 };
}

/** Adds up two histograms with the same bounds. */
export function addHistograms(a: Histogram, b: Histogram): Histogram {
  return { counts: a.counts.map((count, index) => count + (b.counts[index] ?? 0)), sum: a.sum + b.sum };
}

/** How many amounts were counted. */
export function amountsIn({ counts }: Histogram): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
