import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PermitRequest, takePermit } from '../../../src/edge/gate/permits.ts';
import { isWithinReserve, withReserve } from '../../../src/edge/gate/reserve.ts';
import { type GateState, OPEN_GATE } from '../../../src/edge/gate/state.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const LIMITS = { requestsPerMinute: 500, hasSecondaryKey: false, importFloor: 0.05 };
const ASK = { isolating: false, seen: undefined };

/** Whether a gate has to write its state after a permit. */
function writes(before: GateState, ask: Parameters<typeof takePermit>[1], isSameAllowance = true): boolean {
  const stored = withReserve(before, NOW);
  const { state } = takePermit(before, ask, LIMITS, NOW);
  return !isWithinReserve(stored, before, state, isSameAllowance);
}

test('a call within the reserve writes nothing', () => {
  expect(writes(OPEN_GATE, ASK)).toBe(false);
});

const suspension = { since: NOW, status: 401, probeAt: NOW - 1 };
const busy = Array.from({ length: 30 }, (_, n) => NOW - n * 100).reverse();

test.each<[string, GateState, Parameters<typeof takePermit>[1]]>([
  ['an import, which has an allowance of its own', OPEN_GATE, { ...ASK, lane: 'import' }],
  ['the trial of a suspended account', { ...OPEN_GATE, suspension }, ASK],
  ['a search for refused records', { ...OPEN_GATE, starts: busy }, { ...ASK, isolating: true }],
])('%s is written at once', (_, before, ask) => {
  expect(takePermit(before, ask, LIMITS, NOW).permit.granted).toBe(true);
  expect(writes(before, ask)).toBe(true);
});

test('a changed allowance is written at once', () => {
  expect(writes(OPEN_GATE, ASK, false)).toBe(true);
});

const steps = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.nat(200), fc.nat(8_000)),
    restarts: fc.boolean(),
    ask: fc.constantFrom<PermitRequest>(ASK, { ...ASK, lane: 'import' }, { ...ASK, isolating: true }),
  }),
  { maxLength: 1_500, size: 'max' },
);

test('any 60 seconds contain no more starts than allowed, however often a gate restarts with what it has stored', () => {
  fc.assert(
    fc.property(fc.constantFrom(2, 10, 60, 500), steps, (requestsPerMinute, taken) => {
      let stored: GateState = OPEN_GATE;
      let state: GateState = OPEN_GATE;
      let now = NOW;
      const starts: number[] = [];
      for (const { afterMs, restarts, ask } of taken) {
        now += afterMs;
        if (restarts) state = stored;
        const { state: after, permit } = takePermit(state, ask, { ...LIMITS, requestsPerMinute }, now);
        if (!isWithinReserve(stored, state, after, true)) stored = withReserve(after, now);
        state = after;
        if (permit.granted) starts.push(now + permit.startInMs);
      }
      starts.sort((a, b) => a - b);
      for (const [index, at] of starts.entries())
        expect(at - (starts[index - requestsPerMinute] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThan(
          60_000 - 1,
        );
    }),
    { numRuns: 60 },
  );
});
