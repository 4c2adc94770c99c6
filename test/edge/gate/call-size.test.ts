import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CallSize, fitted, maxBytes, tooLarge } from '../../../src/edge/gate/call-size.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const MINUTE = 60_000;

/** Calls as large as they may be, a second apart, against an upstream that takes so many bytes. */
function callsAgainst(limit: number, calls: number, size: CallSize | undefined, from = NOW) {
  let known = size;
  const sent: { readonly bytes: number; readonly taken: boolean }[] = [];
  for (let n = 0; n < calls; n++) {
    const now = from + n * 1_000;
    const bytes = Math.min(100_000, maxBytes(known, now) ?? Number.POSITIVE_INFINITY);
    const taken = bytes <= limit;
    known = taken ? known && fitted(known, bytes, now) : tooLarge(known, bytes, now);
    sent.push({ bytes, taken });
  }
  return { size: known, sent };
}

test('the size is not bounded before a call was too large', () => {
  expect(maxBytes(undefined, NOW)).toBeUndefined();
});

test('any limit is found within a few calls and respected', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2_000, max: 99_000 }), (limit) => {
      const { sent } = callsAgainst(limit, 100, undefined);
      const settled = sent.slice(15);

      expect(sent.filter(({ taken }) => !taken).length).toBeLessThanOrEqual(10);
      for (const { bytes } of settled) expect(bytes).toBeGreaterThanOrEqual(limit * 0.8);
      expect(settled.filter(({ taken }) => !taken)).toEqual([]);
    }),
  );
});

test('a raised limit is found again without a flood of refusals', () => {
  const { size } = callsAgainst(20_000, 60, undefined);

  const { sent } = callsAgainst(90_000, 90 * 60, size, NOW + 2 * MINUTE);

  expect(sent.at(-1)?.bytes).toBeGreaterThanOrEqual(90_000 * 0.8);
  expect(sent.filter(({ taken }) => !taken).length).toBeLessThan(20);
});

test('a lowered limit is found too', () => {
  const { size } = callsAgainst(90_000, 60, undefined);

  // Ten minutes after the last that was as large.
  const { sent } = callsAgainst(10_000, 900, size, NOW + 12 * MINUTE);

  expect(sent.slice(-100).every(({ taken }) => taken)).toBe(true);
});

describe('a 413 for another reason than the size', () => {
  test('leaves the bound as it is while calls of that size are accepted', () => {
    const { size } = callsAgainst(50_000, 60, undefined);
    if (size === undefined) throw new Error('nothing was learnt');

    expect(tooLarge(size, 300, NOW + 60_000)).toBe(size);
  });
});
