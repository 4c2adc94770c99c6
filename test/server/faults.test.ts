import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EventRecord } from '../../src/contract/record.ts';
import type { Reply } from '../fakes/deduping-relay.ts';
import { serverWith } from '../fakes/server-platform.ts';

const PEOPLE = 7;

const aReply = fc.constantFrom<Reply>('settled', 'slow', 'lost', 'offline', 'rate_limited', 'unavailable');
const aCall = fc.record({
  person: fc.nat(PEOPLE - 1),
  hasMessageId: fc.boolean(),
  /** How long after the call before, in milliseconds. */
  afterMs: fc.constantFrom(0, 0, 0, 50, 1_000),
  /** A webhook's: delivered again right away, by the same process or by another. */
  again: fc.constantFrom('no', 'here', 'elsewhere'),
});

type Call = typeof aCall extends fc.Arbitrary<infer Value> ? Value : never;

/** What arrived of each person, in order, as numbers of calls. */
function byPerson(arrived: readonly { readonly record: unknown }[]): ReadonlyMap<string, readonly number[]> {
  const events = arrived.map(({ record }) => record as EventRecord);
  const grouped = Map.groupBy(events, ({ userId = '' }) => userId);
  return new Map(
    [...grouped].map(([person, each]) => [person, each.map(({ eventData }) => Number(eventData?.n))]),
  );
}

async function play(calls: readonly Call[], replies: readonly Reply[], batchSize: number) {
  // A request gives up before a slow answer comes, which has stored the records all the same.
  const options = { batchSize, timeoutMs: 2_000, giveUpAfterMs: Number.POSITIVE_INFINITY };
  const here = serverWith(options);
  const { time, relay } = here;
  const elsewhere = serverWith(options, { time, relay });
  relay.replies.push(...replies);
  const promises: Promise<void>[] = [];

  for (const [n, { person, hasMessageId, afterMs, again }] of calls.entries()) {
    const once = hasMessageId && { messageId: `m${n}` };
    const event = { userId: `user ${person}`, eventName: 'Called', eventData: { n }, ...once };
    promises.push(here.client.track(event));
    if (hasMessageId && again === 'here') promises.push(here.client.track(event));
    if (hasMessageId && again === 'elsewhere') promises.push(elsewhere.client.track(event));
    if (afterMs > 0) await time.pass(afterMs);
  }
  // Longer than all replies together may ask for.
  await time.pass((replies.length + 1) * 60_000);
  await Promise.all(promises);
  return { ...here, elsewhere };
}

test('each call arrives once, and those of a person in order, through lost answers, 429, 503 and timeouts', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(aCall, { minLength: 1, maxLength: 80 }),
      fc.array(aReply, { maxLength: 30 }),
      fc.integer({ min: 1, max: 30 }),
      async (calls, replies, batchSize) => {
        const { arrived } = await play(calls, replies, batchSize);

        const expected = Map.groupBy(calls.keys(), (n) => `user ${calls[n]?.person}`);
        const found = byPerson(arrived());
        expect(arrived()).toHaveLength(calls.length);
        for (const [person, numbers] of expected) {
          // Another process knows nothing of this one's order.
          const isAlone = numbers.every((n) => calls[n]?.again !== 'elsewhere');
          const theirs = found.get(person) ?? [];
          expect(isAlone ? theirs : theirs.toSorted((a, b) => a - b)).toEqual(numbers);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('each record has the time of its call, however long it had to wait', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aReply, { maxLength: 12 }), async (replies) => {
      const { client, time, relay, requests } = serverWith({ giveUpAfterMs: Number.POSITIVE_INFINITY });
      relay.replies.push(...replies);
      const madeAt = time.now();
      const ages: number[] = [];
      const { fetch } = relay.relay;
      relay.relay.fetch = (url, init) => {
        for (const { age } of JSON.parse(String(init?.body)).records) ages.push(time.now() - age - madeAt);
        return fetch(url, init);
      };

      const call = client.track({ userId: 'johndoe', eventName: 'Called' });
      await time.pass((replies.length + 1) * 60_000);
      await call;

      expect(ages).toHaveLength(requests.length);
      expect(new Set(ages)).toEqual(new Set([0]));
    }),
    { numRuns: 50 },
  );
});
