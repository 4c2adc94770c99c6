import type { GateState } from './state.ts';

// Each write of the state is billed as a row. So a write reserves the starts of this long, which are then granted from
// memory. A gate that dies loses the rest of them: its successor grants nothing until they are over.
export const RESERVED_MS = 6_000;

/** The state to store, as if all starts of the next seconds had been granted already. */
export function withReserve(state: GateState, now: number): GateState {
  return { ...state, pace: { nextDueAt: Math.max(state.pace.nextDueAt, now + RESERVED_MS) } };
}

/**
 * True if a permit changed nothing but what is reserved, or learnt again from the next answer: then the state need not be
 * stored.
 *
 * @param isSameAllowance whether the limit that WebEngage reports is still the same
 */
export function isWithinReserve(
  stored: GateState,
  before: GateState,
  after: GateState,
  isSameAllowance: boolean,
): boolean {
  return (
    isSameAllowance &&
    after.pace.nextDueAt <= stored.pace.nextDueAt &&
    after.isolationPace === before.isolationPace &&
    after.importDueAt === before.importDueAt &&
    after.suspension === before.suspension
  );
}
