import type { Permit } from '../gate/permits.ts';

// A turn that is told further ahead may be nobody's any more: who was told has nothing left to send.
const MAX_TURN_MS = 2_000;

/**
 * Gives those who are refused only because others were first a turn each, so that not all of them ask again for the same
 * one. A turn is no promise: it is asked for as any other.
 *
 * @param nextTurnAt from the answer before; 0 at first
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
