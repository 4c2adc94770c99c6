/** Decides how long a destination may fail before the run gives up. */
export type Patience = {
  /** Something was taken, or the destination asks for patience itself. */
  readonly good: (now: number) => void;
  /** Returns true once there has been no success for too long. */
  readonly isOver: (now: number, hasAnswered: boolean) => boolean;
};

// A destination that has never answered is more likely a typing error than an outage.
const FIRST_ANSWER_MS = 15_000;

// Longer than a deploy or a short outage. The next run goes on where this one ended.
const OUTAGE_MS = 10 * 60_000;

export function createPatience(startedAt: number): Patience {
  let goodAt = startedAt;
  let isKnown = false;
  return {
    good: (now) => {
      goodAt = now;
      isKnown = true;
    },
    isOver: (now, hasAnswered) => {
      isKnown ||= hasAnswered;
      return now - goodAt >= (isKnown ? OUTAGE_MS : FIRST_ANSWER_MS);
    },
  };
}
