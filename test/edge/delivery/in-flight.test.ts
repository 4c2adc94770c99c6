import { expect, test } from 'vitest';
import { callsInFlight } from '../../../src/edge/delivery/in-flight.ts';

test('a call is under way until it is dealt with', async () => {
  const { begin, next, underWay } = callsInFlight();
  const first = Promise.withResolvers<void>();
  begin('first', () => first.promise);
  begin('second', () => new Promise(() => {}));

  first.resolve();
  await next();

  expect([...underWay.keys()]).toEqual(['second']);
});

test('the first fault is told once all are dealt with, and none of them is cut short by it', async () => {
  const { begin, failed, next, all } = callsInFlight();
  const slow = Promise.withResolvers<void>();
  let landed = false;
  begin('first', () => Promise.reject(new Error('the first')));
  begin('second', async () => {
    await slow.promise;
    landed = true;
    throw new Error('the second');
  });

  expect(failed()).toBe(false);
  await next();
  expect(failed()).toBe(true);
  slow.resolve();

  await expect(all()).rejects.toThrow('the first');
  expect(landed).toBe(true);
});
