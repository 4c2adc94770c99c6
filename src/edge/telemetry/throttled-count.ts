// A fault that affects everyone must show up in moments, and must not flood the log.
const LOG_EVERY_MS = 60_000;

/** Counts by name. */
export type Counts<Name extends string> = Partial<Readonly<Record<Name, number>>>;

/**
 * Counts by name within one isolate of the Worker. It reports the first count at once, then at most once a minute.
 * The returned function returns what it has reported, if anything.
 */
export function throttledCount<Name extends string>(
  log: (counts: Counts<Name>) => void,
): (counted: Counts<Name>, now: number) => Counts<Name> | undefined {
  let counts = new Map<string, number>();
  let loggedAt = Number.NEGATIVE_INFINITY;
  return (counted, now) => {
    for (const [name, count] of Object.entries(counted as Readonly<Record<string, number>>))
      counts.set(name, (counts.get(name) ?? 0) + count);
    if (counts.size === 0 || now - loggedAt < LOG_EVERY_MS) return undefined;
    // All counted names are of this type.
    const reported = Object.fromEntries(counts) as Counts<Name>;
    log(reported);
    counts = new Map();
    loggedAt = now;
    return reported;
  };
}
