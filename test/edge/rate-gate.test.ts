import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { takePermit } from '../../src/edge/rate-gate.ts';
import { relayEnv } from '../fakes/outbox.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

const newGate = () => relayEnv.RATE_GATE.getByName(crypto.randomUUID());

test('what it has lent it remembers through evictions: no burst after each', async () => {
  const gate = newGate();
  let granted = 0;

  for (let restart = 0; restart < 20; restart++) {
    granted += await runInDurableObject(gate, (_, { storage }) => {
      let lent = 0;
      while (takePermit(storage, 500, NOW).granted) lent += 1;
      return lent;
    });
    await evictDurableObject(gate);
  }

  // A burst of 5, and what may be promised 250 ms ahead.
  expect(granted).toBeLessThanOrEqual(5 + Math.ceil(250 / 125));
});

test('a pause holds until it is over, and says how long that is', async () => {
  const gate = newGate();
  await gate.pause(60_000);

  const permit = await gate.take();
  await evictDurableObject(gate);

  expect(permit).toMatchObject({ granted: false });
  expect(await gate.take()).toMatchObject({ granted: false });
  const over = await runInDurableObject(gate, (_, { storage }) =>
    takePermit(storage, 500, Date.now() + 60_001),
  );
  expect(over).toMatchObject({ granted: true });
});

test('a shorter pause does not cut a longer one', async () => {
  const gate = newGate();
  await gate.pause(60_000);
  await gate.pause(1_000);

  const permit = await runInDurableObject(gate, (_, { storage }) =>
    takePermit(storage, 500, Date.now() + 30_000),
  );

  expect(permit).toMatchObject({ granted: false });
});
