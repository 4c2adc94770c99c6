import { expect, test } from 'vitest';
import type { Env } from '../../../src/edge/durable-objects/env.ts';
import { health } from '../../../src/edge/http/health.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

test('what the gate says is known for five seconds, and is asked for again after them', async () => {
  const answers = [{ held: { since: NOW, status: 401, probeAt: NOW } }, { held: null }];
  const RATE_GATE = { getByName: () => ({ status: async () => answers.shift() }) };
  const report = health();
  const statusAt = async (now: number) => (await report({ RATE_GATE } as unknown as Env, now)).status;

  expect(await statusAt(NOW)).toBe(503);
  expect(await statusAt(NOW + 4_999)).toBe(503);
  expect(await statusAt(NOW + 5_000)).toBe(200);
});
