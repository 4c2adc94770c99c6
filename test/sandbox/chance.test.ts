import { describe, expect, test } from 'vitest';
import { faultOf, nextChance } from '../../src/sandbox/chance.ts';
import { type ControlOrder, controlOf } from '../../src/sandbox/control.ts';

const MIX: ControlOrder = {
  faults: [
    { fault: 500, chance: 0.03 },
    { fault: '429', chance: 0.01 },
    { fault: 'cut', chance: 0.04 },
    { fault: 504, faultAt: 'after', chance: 0.02 },
  ],
};

/** The chances that follow from a seed. */
function chances(seed: number, count: number): number[] {
  const drawn: number[] = [];
  let state = seed;
  for (let n = 0; n < count; n += 1) {
    const next = nextChance(state);
    drawn.push(next.chance);
    state = next.state;
  }
  return drawn;
}

describe('faults by chance', () => {
  test.each([
    [0, 500],
    [0.029, 500],
    [0.031, '429'],
    [0.041, 'cut'],
    [0.081, 504],
    [0.101, 'none'],
    [0.999, 'none'],
  ])('a draw of %d means %s', (chance, fault) => {
    expect(faultOf(controlOf(MIX), chance).fault).toBe(fault);
  });

  test('each happens before or after acceptance, as it says itself', () => {
    expect(faultOf(controlOf(MIX), 0.09)).toMatchObject({ fault: 504, faultAt: 'after' });
    expect(faultOf(controlOf({ ...MIX, faultAt: 'after' }), 0)).toMatchObject({ faultAt: 'before' });
  });

  test('a fault configured alone is certain', () => {
    expect(faultOf(controlOf({ ...MIX, fault: 'down' }), 0).fault).toBe('down');
  });

  test('over many calls each occurs as often as configured', () => {
    const drawn = chances(1, 20_000).map((chance) => faultOf(controlOf(MIX), chance).fault);
    const share = (fault: unknown) => drawn.filter((one) => one === fault).length / drawn.length;

    expect(share(500)).toBeCloseTo(0.03, 2);
    expect(share('429')).toBeCloseTo(0.01, 2);
    expect(share('cut')).toBeCloseTo(0.04, 2);
    expect(share('none')).toBeCloseTo(0.9, 1);
  });
});

describe('a seed', () => {
  test('gives the same chances each time, and another seed gives others', () => {
    expect(chances(7, 50)).toEqual(chances(7, 50));
    expect(chances(7, 50)).not.toEqual(chances(8, 50));
  });

  test('gives chances from 0 to 1, evenly', () => {
    const drawn = chances(42, 20_000);

    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
    expect(drawn.reduce((sum, chance) => sum + chance, 0) / drawn.length).toBeCloseTo(0.5, 1);
  });
});
