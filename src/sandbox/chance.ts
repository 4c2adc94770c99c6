import type { Control, Fault } from './control.ts';

export type DrawnFault = { readonly fault: Fault; readonly faultAt: Control['faultAt'] };

/** The fault of one call. `chance`, from 0 to 1, draws it where several are ordered; a `fault` by itself is certain. */
export function faultOf({ fault, faultAt, faults }: Control, chance: number): DrawnFault {
  if (fault !== 'none') return { fault, faultAt };
  let upTo = 0;
  for (const drawn of faults) {
    upTo += drawn.chance;
    if (chance < upTo) return drawn;
  }
  return { fault, faultAt };
}

/**
 * One number from 0 to 1 out of a state, and the state for the next one: the same for the same seed, everywhere.
 * Mulberry32: 32 bits are enough to play with. https://github.com/bryc/code/blob/master/jshash/PRNGs.md
 */
export function nextChance(state: number): { readonly chance: number; readonly state: number } {
  const next = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(next ^ (next >>> 15), 1 | next);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return { chance: ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32, state: next };
}
