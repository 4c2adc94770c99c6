import type { Permit } from '../gate/permits.ts';

/**
 * When each outbox that was refused for the pace may ask again. In memory: after a restart all of them come back for
 * the same permit, once.
 */
export type Turns = Map<string, number>;

// A slot further ahead may be wasted: its outbox may have nothing left to send by then.
const MAX_TURN_MS = 2_000;

/**
 * Assigns a retry slot to each outbox that is refused only for the pace. Otherwise all of them would come
 * back for the same permit. A slot is no promise: the outbox still has to ask for a permit. An outbox that asks before
 * its slot keeps it: with another one for each request it would push itself back.
 *
 * @param outbox identifies who asked
 */
export function inTurn(permit: Permit, turns: Turns, outbox: string, now: number): Permit {
  const own = turns.get(outbox);
  for (const [each, at] of turns) if (at <= now) turns.delete(each);
  turns.delete(outbox);
  if (permit.granted || permit.pacedMs === undefined) return permit;
  const earliestAt = now + permit.retryInMs;
  const afterOthers = Math.max(...turns.values()) + permit.pacedMs;
  const newAt = Math.min(Math.max(afterOthers, earliestAt), Math.max(earliestAt, now + MAX_TURN_MS));
  const turnAt = own !== undefined && own >= earliestAt ? own : newAt;
  turns.set(outbox, turnAt);
  return { ...permit, retryInMs: Math.ceil(turnAt - now) };
}
