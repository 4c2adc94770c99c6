import type { Permit } from '../gate/permits.ts';

// A slot further ahead may be wasted: its outbox may have nothing left to send by then.
const MAX_TURN_MS = 2_000;

/**
 * Assigns a retry slot to each outbox that is refused only for the pace. Otherwise all of them would come
 * back for the same permit. A slot is no promise: the outbox still has to ask for a permit.
 *
 * @param nextTurnAt from the previous answer, or 0
 */
export function inTurn(
  permit: Permit,
  nextTurnAt: number,
  now: number,
): { readonly permit: Permit; readonly nextTurnAt: number } {
  if (permit.granted || permit.pacedMs === undefined) return { permit, nextTurnAt };
  const earliestAt = now + permit.retryInMs;
  const turnAt = Math.min(Math.max(nextTurnAt, earliestAt), Math.max(earliestAt, now + MAX_TURN_MS));
  return {
    permit: { ...permit, retryInMs: Math.ceil(turnAt - now) },
    nextTurnAt: turnAt + permit.pacedMs,
  };
}
