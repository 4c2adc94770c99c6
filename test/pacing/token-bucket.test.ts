import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fullBucket, refill } from '../../src/pacing/token-bucket.ts';

const LIMIT = { burst: 5, requestsPerMinute: 60 };

test('it never holds more than its capacity', () => {
  expect(refill(fullBucket(LIMIT, 0), LIMIT, 3_600_000).tokens).toBe(5);
});

test('a clock set back a year neither adds tokens nor blocks them', () => {
  const year = 365 * 24 * 3_600_000;
  const empty = { tokens: 0, asOf: year };

  const after = refill(empty, LIMIT, 0);

  expect(after).toEqual({ tokens: 0, asOf: 0 });
  expect(refill(after, LIMIT, 1_000).tokens).toBe(1);
});

test('in any period it grants at most its capacity plus what it gained', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 200 }), (pauses) => {
      let now = 0;
      let bucket = fullBucket(LIMIT, now);
      let lent = 0;
      for (const pause of pauses) {
        now += pause;
        bucket = refill(bucket, LIMIT, now);
        if (bucket.tokens < 1) continue;
        bucket = { ...bucket, tokens: bucket.tokens - 1 };
        lent += 1;
      }

      expect(lent).toBeLessThanOrEqual(5 + now / 1_000 + 1e-6);
    }),
  );
});
