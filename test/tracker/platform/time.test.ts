import { afterEach, describe, expect, test } from 'vitest';
import { outsideZones, time } from '../../../src/tracker/platform/time.ts';

const global = globalThis as { Zone?: unknown };

afterEach(() => {
  delete global.Zone;
});

/** Zone.js, played: it knows what runs in the zone of an app. */
function zones() {
  let isOutside = false;
  const seen: boolean[] = [];
  global.Zone = {
    root: {
      run: <T>(task: () => T): T => {
        isOutside = true;
        const result = task();
        isOutside = false;
        return result;
      },
    },
  };
  return { note: () => void seen.push(isOutside), seen };
}

describe('in a page with zones', () => {
  test('a task runs outside the caller’s zone, and returns its result', () => {
    const { note, seen } = zones();

    const answer = outsideZones(() => {
      note();
      return 42;
    });

    expect([answer, seen]).toEqual([42, [true]]);
  });

  test('a timer is set outside the caller’s zone', () => {
    const { note, seen } = zones();
    const { setTimeout } = globalThis;
    Object.assign(globalThis, {
      setTimeout: (...timer: Parameters<typeof setTimeout>) => {
        note();
        return setTimeout(...timer);
      },
    });

    time.timer(() => {}, 1)();
    Object.assign(globalThis, { setTimeout });

    expect(seen).toEqual([true]);
  });
});

test.each([
  ['none', undefined],
  ['something else by that name', { root: 7 }],
])('with %s a task just runs', (_, zone) => {
  if (zone) global.Zone = zone;

  expect(outsideZones(() => 42)).toBe(42);
});

test('a timer that is cancelled does not fire', async () => {
  let fired = 0;
  const cancel = time.timer(() => fired++, 0);
  cancel();

  await new Promise<void>((resolve) => void time.timer(resolve, 0));

  expect(fired).toBe(0);
});
