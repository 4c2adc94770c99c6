import { expect, test } from 'vitest';
import { BACKOFF, FOUR_HOURS_OF_TRIES } from '../../../src/edge/delivery/send-batch.ts';
import { backoffMs } from '../../../src/pacing/backoff.ts';

test('the tries before an unanswered batch is halved take more than four hours, even with the shortest waits', () => {
  let waitedMs = 0;
  for (let failures = 1; failures < FOUR_HOURS_OF_TRIES; failures++)
    waitedMs += backoffMs(failures, BACKOFF, 0);

  expect(waitedMs).toBeGreaterThan(4 * 60 * 60 * 1_000);
});
