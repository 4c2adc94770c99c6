import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPoll } from '../../src/ui/poll.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A poll every second, each run of which lasts 300 ms. */
function polled() {
  let runs = 0;
  let underWay = 0;
  let most = 0;
  const poll = createPoll(
    async () => {
      runs += 1;
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, 300));
      underWay -= 1;
    },
    () => 1_000,
  );
  return { poll, runs: () => runs, most: () => most };
}

test('a poll runs at once, and again a pause after its end', async () => {
  const { poll, runs } = polled();

  poll.start();
  await vi.advanceTimersByTimeAsync(1_299);
  expect(runs()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(runs()).toBe(2);
});

test('a poll that is woken runs as soon as it can, and never twice at once', async () => {
  const { poll, runs, most } = polled();
  poll.start();
  await vi.advanceTimersByTimeAsync(100);

  poll.wake();
  await vi.advanceTimersByTimeAsync(200);
  expect(runs()).toBe(2);

  await vi.advanceTimersByTimeAsync(400);
  poll.wake();
  await vi.advanceTimersByTimeAsync(0);
  expect(runs()).toBe(3);
  expect(most()).toBe(1);
});

test('a poll that is stopped runs no more, until it is started again', async () => {
  const { poll, runs } = polled();
  poll.start();
  poll.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(runs()).toBe(1);

  poll.start();
  await vi.advanceTimersByTimeAsync(0);
  expect(runs()).toBe(2);
});
