// What goes wrong for everybody is to be seen within moments, and must not flood the log.
const TOLD_EVERY_MS = 60_000;

/** How often each of some names was counted. */
export type Counts<Name extends string> = Partial<Readonly<Record<Name, number>>>;

/** Counts by name, as one isolate of the Worker sees it; tells the first at once, then at most once a minute. */
export function throttledCount<Name extends string>(
  tell: (counts: Counts<Name>) => void,
): (counted: Counts<Name>, now: number) => void {
  let counts = new Map<string, number>();
  let toldAt = Number.NEGATIVE_INFINITY;
  return (counted, now) => {
    for (const [name, count] of Object.entries(counted as Readonly<Record<string, number>>))
      counts.set(name, (counts.get(name) ?? 0) + count);
    if (counts.size === 0 || now - toldAt < TOLD_EVERY_MS) return;
    // Whatever was counted came by one of the names.
    tell(Object.fromEntries(counts) as Counts<Name>);
    counts = new Map();
    toldAt = now;
  };
}
