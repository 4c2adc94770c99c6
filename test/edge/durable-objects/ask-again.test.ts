import { expect, test } from 'vitest';
import { askAgain } from '../../../src/edge/durable-objects/ask-again.ts';

const RETRYABLE = Object.assign(new Error('its code was updated'), { retryable: true });

/** Asks something that fails with these, one after the other; tells how often it was asked. */
async function asking(...faults: readonly Error[]) {
  const left = [...faults];
  let asked = 0;
  const answer = askAgain(async () => {
    asked += 1;
    const fault = left.shift();
    if (fault !== undefined) throw fault;
    return 'answer';
  });
  return { end: await answer.catch((fault: Error) => fault), asked };
}

test('a successful request is made once', async () => {
  expect(await asking()).toEqual({ end: 'answer', asked: 1 });
});

test('a request is repeated once after an error that the platform calls retryable', async () => {
  expect(await asking(RETRYABLE)).toEqual({ end: 'answer', asked: 2 });
  expect(await asking(RETRYABLE, RETRYABLE)).toEqual({ end: RETRYABLE, asked: 2 });
});

test.each([
  new Error('a fault of ours'),
  Object.assign(new Error('busy'), { retryable: true, overloaded: true }),
])('a request is not repeated after another error: %s', async (fault) => {
  expect(await asking(fault)).toEqual({ end: fault, asked: 1 });
});
