import { expect, test } from 'vitest';
import { signal } from '../../../src/edge/delivery/signal.ts';

test('a signal wakes everyone who waits, and no one who comes later', async () => {
  const { ring, heard, isAwaited } = signal();
  const woken: string[] = [];
  const wait = (who: string) => void heard().then(() => woken.push(who));

  ring();
  expect(isAwaited()).toBe(false);
  wait('first');
  wait('second');
  expect(isAwaited()).toBe(true);

  ring();
  expect(isAwaited()).toBe(false);
  wait('late');
  await Promise.resolve();
  await Promise.resolve();

  expect(woken).toEqual(['first', 'second']);
});
