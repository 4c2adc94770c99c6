import { expect, test } from 'vitest';
import { callsInFlight } from '../../../src/edge/delivery/in-flight.ts';

test('a call is in flight until its answer has been handled', async () => {
  const { begin, next, underWay } = callsInFlight();
  const first = Promise.withResolvers<void>();
  begin('first', () => first.promise);
  begin('second', () => new Promise(() => {}));

  first.resolve();
  await next();

  expect([...underWay.keys()]).toEqual(['second']);
});

test('the first fault is reported once all calls are handled, and cuts none of them short', async () => {
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
