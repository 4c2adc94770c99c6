import { runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import { discard, replay } from '../../../src/edge/queue/dead-letters/operate.ts';
import { costOf, estimate, readFigures } from '../../../src/edge/restore/figures.ts';
import { delivery, ingestAt, newOutbox, passAt, rulingUpstream, storedRuns } from '../../fakes/outbox.ts';
import { eventRecord } from '../../fakes/records.ts';
import { copyOf, putBack } from './played-history.ts';

const NOW = Date.parse('2026-11-23T12:00:30Z');
const MINUTE_MS = 60_000;

const stepOf = fc.oneof(
  fc.record({ does: fc.constant('store' as const), records: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ does: fc.constant('send' as const), status: fc.constantFrom(200, 200, 400, 503) }),
  fc.record({ does: fc.constantFrom('replay' as const, 'discard' as const, 'rest' as const) }),
);
type Step = typeof stepOf extends fc.Arbitrary<infer T> ? T : never;

/** The ids of the records that an outbox holds. */
const heldBy = (stub: DurableObjectStub<Outbox>): Promise<Set<string>> =>
  runInDurableObject(stub, (_, { storage }) => {
    const dead = storage.sql.exec<{ id: string }>(`SELECT record ->> 'id' AS id FROM dead`).toArray();
    const waiting = storedRuns(storage.sql).flatMap(({ records }) => records);
    return new Set([...waiting, ...dead].map(({ id }) => id));
  });

async function take(
  stub: DurableObjectStub<Outbox>,
  step: Step,
  seq: number,
  now: number,
): Promise<Set<string>> {
  if (step.does === 'store') {
    const records = Array.from({ length: step.records }, (_, n) => eventRecord(seq * 10 + n));
    await ingestAt(stub, delivery(`device ${seq}`, ...records), now);
  }
  if (step.does === 'replay' || step.does === 'discard') {
    const deal = step.does === 'replay' ? replay : discard;
    await runInDurableObject(stub, (_, { storage }) => deal(storage, { until: now }, 3, now));
  }
  if (step.does !== 'send') return new Set();
  const before = await heldBy(stub);
  await passAt(
    stub,
    rulingUpstream(() => step.status),
    now,
  );
  const after = await heldBy(stub);
  return new Set([...before].filter((id) => !after.has(id)));
}

test('the limits of a restore are never below what it loses and sends twice, before it and after it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepOf, { minLength: 4, maxLength: 14 }), fc.nat(), async (steps, moment) => {
      const stub = newOutbox();
      const cut = moment % steps.length;
      const at = NOW + cut * MINUTE_MS + 1_000;
      let copy: ReturnType<typeof copyOf> | undefined;
      const sentSince = new Set<string>();
      for (const [index, step] of steps.entries()) {
        const sent = await take(stub, step, index, NOW + index * MINUTE_MS);
        if (index > cut) for (const id of sent) sentSince.add(id);
        if (index === cut) copy = await runInDurableObject(stub, (_, { storage }) => copyOf(storage));
      }
      const heldNow = await heldBy(stub);
      const read = () => runInDurableObject(stub, (_, { storage }) => readFigures(storage.sql));
      const guess = await runInDurableObject(stub, (_, { storage }) => estimate(storage.sql, at, undefined));
      const before = await read();
      await runInDurableObject(stub, (_, { storage }) => copy && putBack(storage, copy));
      const cost = costOf(before, await read(), true);

      const heldThen = await heldBy(stub);
      const lost = [...heldNow].filter((id) => !heldThen.has(id)).length;
      const twice = [...heldThen].filter((id) => sentSince.has(id)).length;
      for (const { lostAtMost, sentTwiceAtMost } of [guess, cost]) {
        expect(lostAtMost).toBeGreaterThanOrEqual(lost);
        expect(sentTwiceAtMost ?? Number.NaN).toBeGreaterThanOrEqual(twice);
      }
      expect(guess.lostAtMost).toBeGreaterThanOrEqual(cost.lostAtMost);
      expect(guess.sentTwiceAtMost).toBeGreaterThanOrEqual(cost.sentTwiceAtMost ?? 0);
    }),
    { numRuns: 25 },
  );
});

test('within the last hour, the limits leave out what was sent and stored well before the moment', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', eventRecord(1), eventRecord(2)), NOW);
  await passAt(
    stub,
    rulingUpstream(() => 200),
    NOW + 2_000,
  );
  await ingestAt(stub, delivery('a', eventRecord(3)), NOW + 20 * MINUTE_MS);

  const at = (minute: number) =>
    runInDurableObject(stub, (_, { storage }) => estimate(storage.sql, NOW + minute * MINUTE_MS, undefined));

  expect(await at(10)).toEqual({ lostAtMost: 1, sentTwiceAtMost: 0 });
  expect(await at(0)).toEqual({ lostAtMost: 1, sentTwiceAtMost: 2 });
});
