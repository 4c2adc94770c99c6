/**
 * Rows that were refused by themselves, with no success since. Either they are at fault, or all rows would be refused
 * because a setting is wrong. A success of another row decides: then they are refused for good. Until then they count as unsettled.
 */
export type Doubt = {
  /** Returns false if too many were refused in a row: then none of them is refused for good. */
  readonly refuse: (reject: () => void) => boolean;
  readonly taken: () => void;
  /** Decides at the end of a run, by earlier successes. Returns false if there were none. */
  readonly end: () => boolean;
};

// As many as the relay takes for a streak that means a wrong setting.
const STREAK = 20;

/** @param hasTaken whether any row has ever arrived */
export function createDoubt(hasTaken: () => boolean): Doubt {
  const refused: (() => void)[] = [];
  const rejectAll = () => {
    for (const reject of refused.splice(0)) reject();
  };
  return {
    refuse: (reject) => {
      refused.push(reject);
      return refused.length < STREAK;
    },
    taken: rejectAll,
    end: () => {
      if (refused.length === 0) return true;
      if (!hasTaken()) return false;
      rejectAll();
      return true;
    },
  };
}
