import { inTurn, type Turns } from '../../src/edge/durable-objects/turn.ts';
import { takePermit } from '../../src/edge/gate/permits.ts';
import { OPEN_GATE } from '../../src/edge/gate/state.ts';
import { limitWithin } from '../../src/pacing/sliding-limit.ts';

/** The gate, by the relay's own code. */
export type SimulatedGate = {
  /** Asks for a permit: when the call may start, or when to ask again. */
  readonly request: (outbox: string, now: number) => ReturnType<typeof inTurn>;
};

// The account's default limit, without a secondary key.
const LIMITS = { requestsPerMinute: 500, hasSecondaryKey: false, importFloor: 0.05 };

/** A gate with the burst used up. In reality it comes once after a rest, not every two minutes. */
export function simulatedGate(): SimulatedGate {
  const { burst, spacingMs } = limitWithin(LIMITS.requestsPerMinute);
  let gate = { ...OPEN_GATE, pace: { nextDueAt: burst * spacingMs } };
  const turns: Turns = new Map();
  return {
    request: (outbox, now) => {
      const decided = takePermit(gate, { isolating: false, seen: undefined }, LIMITS, now);
      gate = decided.state;
      return inTurn(decided.permit, turns, outbox, now);
    },
  };
}
