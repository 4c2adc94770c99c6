import { expect, test } from 'vitest';
import { withRetry } from '../../../src/edge/durable-objects/with-retry.ts';

const RETRYABLE = Object.assign(new Error('its code was updated'), { retryable: true });

/** Makes a call that fails with these errors, one after the other. Returns its end, and how often it was made. */
async function retried(...faults: readonly Error[]) {
  const left = [...faults];
  let calls = 0;
  const answer = withRetry(async () => {
    calls += 1;
    const fault = left.shift();
    if (fault !== undefined) throw fault;
    return 'answer';
  });
  return { end: await answer.catch((fault: Error) => fault), calls };
}

test('a successful request is made once', async () => {
  expect(await retried()).toEqual({ end: 'answer', calls: 1 });
});

test('a request is repeated once after an error that the platform calls retryable', async () => {
  expect(await retried(RETRYABLE)).toEqual({ end: 'answer', calls: 2 });
  expect(await retried(RETRYABLE, RETRYABLE)).toEqual({ end: RETRYABLE, calls: 2 });
});

test.each([
  new Error('a fault of ours'),
  Object.assign(new Error('busy'), { retryable: true, overloaded: true }),
])('a request is not repeated after another error: %s', async (fault) => {
  expect(await retried(fault)).toEqual({ end: fault, calls: 1 });
});
