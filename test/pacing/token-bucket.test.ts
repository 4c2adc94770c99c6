import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fullBucket, msUntilToken, refill, type TokenBucket, take } from '../../src/pacing/token-bucket.ts';

const LIMIT = { burst: 5, requestsPerMinute: 60 };

test('a full bucket lends its capacity, and then one token a second', () => {
  let bucket: TokenBucket | undefined = fullBucket(LIMIT, 0);
  for (let taken = 0; taken < 5; taken++) bucket = take(bucket as TokenBucket);

  expect(take(bucket as TokenBucket)).toBeUndefined();
  expect(msUntilToken(bucket as TokenBucket, LIMIT)).toBe(1_000);
  expect(take(refill(bucket as TokenBucket, LIMIT, 999))).toBeUndefined();
  expect(take(refill(bucket as TokenBucket, LIMIT, 1_000))).toBeDefined();
});

test('it never holds more than its capacity', () => {
  expect(refill(fullBucket(LIMIT, 0), LIMIT, 3_600_000).tokens).toBe(5);
});

test('a clock that was set back a year neither gives tokens nor stops them', () => {
  const year = 365 * 24 * 3_600_000;
  const empty = { tokens: 0, asOf: year };

  const after = refill(empty, LIMIT, 0);

  expect(after).toEqual({ tokens: 0, asOf: 0 });
  expect(refill(after, LIMIT, 1_000).tokens).toBe(1);
});

test('in any time it lends at most its capacity and what it gained', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 200 }), (pauses) => {
      let now = 0;
      let bucket = fullBucket(LIMIT, now);
      let lent = 0;
      for (const pause of pauses) {
        now += pause;
        bucket = refill(bucket, LIMIT, now);
        const rest = take(bucket);
        if (rest === undefined) continue;
        bucket = rest;
        lent += 1;
      }

      expect(lent).toBeLessThanOrEqual(5 + now / 1_000 + 1e-6);
    }),
  );
});
