/** Random bytes that are the same in each run: a linear congruential generator. `random` always gives the middle. */
export function fakeChance(seed: number): {
  readonly random: () => number;
  readonly bytes: (count: number) => Uint8Array;
} {
  let state = seed;
  return {
    random: () => 0.5,
    bytes: (count) =>
      Uint8Array.from({ length: count }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state >>> 24;
      }),
  };
}
