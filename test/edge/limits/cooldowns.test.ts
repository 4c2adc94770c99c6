import { expect, test } from 'vitest';
import { cooldowns } from '../../../src/edge/limits/cooldowns.ts';

const NOW = 1_000_000;

test('a sender is refused for as long as its cooldown, and no other sender is', () => {
  const { msLeft, rest } = cooldowns();

  rest('a', 2_000, NOW);

  expect(msLeft('a', NOW + 500)).toBe(1_500);
  expect(msLeft('a', NOW + 2_000)).toBe(0);
  expect(msLeft('b', NOW)).toBe(0);
});

test('the oldest cooldowns are forgotten first', () => {
  const { msLeft, rest } = cooldowns(2);

  for (const sender of ['a', 'b', 'a', 'c']) rest(sender, 2_000, NOW);

  expect(['a', 'b', 'c'].map((sender) => msLeft(sender, NOW))).toEqual([2_000, 0, 2_000]);
});
