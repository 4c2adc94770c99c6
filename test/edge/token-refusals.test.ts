import { expect, test } from 'vitest';
import { type TokenRefusals, tokenRefusals } from '../../src/edge/token-refusals.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

test('a storm of refusals is a line a minute, which counts all of them by why', () => {
  const lines: TokenRefusals[] = [];
  const refuse = tokenRefusals((line) => lines.push(line));

  for (let second = 0; second <= 120; second++) refuse('bad_signature', NOW + second * 1_000);
  refuse('expired', NOW + 121_000);
  refuse('expired', NOW + 600_000);

  expect(lines).toEqual([{ bad_signature: 1 }, { bad_signature: 60 }, { bad_signature: 60 }, { expired: 2 }]);
});
