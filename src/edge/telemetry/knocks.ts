// Often enough to be seen, rarely enough that whoever tries can't fill the log.
const TOLD_EVERY_MS = 60_000;

/** Counts who comes with a wrong token. Answers how many there were, once a minute at most; undefined in between. */
export function knocks(): (now: number) => number | undefined {
  let wrong = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  return (now) => {
    wrong += 1;
    if (now - toldAt < TOLD_EVERY_MS) return undefined;
    const told = wrong;
    wrong = 0;
    toldAt = now;
    return told;
  };
}
