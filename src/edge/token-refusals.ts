import type { TokenFault } from './token-fault.ts';

// A key that is rotated wrongly refuses everybody: it is to be seen within moments, and not to drown the log.
const TOLD_EVERY_MS = 60_000;

/** Batches refused for their token, by why. */
export type TokenRefusals = Partial<Readonly<Record<TokenFault, number>>>;

/** Counts batches that are refused for their token, as one isolate of the Worker sees them; tells the first at once, then at most once a minute. */
export function tokenRefusals(
  tell: (refusals: TokenRefusals) => void,
): (fault: TokenFault, now: number) => void {
  let refusals: TokenRefusals = {};
  let toldAt = Number.NEGATIVE_INFINITY;
  return (fault, now) => {
    refusals = { ...refusals, [fault]: (refusals[fault] ?? 0) + 1 };
    if (now - toldAt < TOLD_EVERY_MS) return;
    tell(refusals);
    refusals = {};
    toldAt = now;
  };
}
