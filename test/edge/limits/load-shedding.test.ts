import { expect, test } from 'vitest';
import { loadShedding } from '../../../src/edge/limits/load-shedding.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

test('an outbox that accepts nothing is left alone for five seconds, and no other is', () => {
  const { isShedding, shed } = loadShedding();

  shed('2/0', NOW);

  expect(isShedding('2/0', NOW + 4_999)).toBe(true);
  expect(isShedding('2/0', NOW + 5_000)).toBe(false);
  expect(isShedding('2/1', NOW)).toBe(false);
});
