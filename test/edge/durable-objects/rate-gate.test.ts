import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { expect, test, vi } from 'vitest';
import type { RateGate } from '../../../src/edge/durable-objects/rate-gate.ts';
import type { Permit } from '../../../src/edge/gate/permits.ts';
import { RESERVED_MS } from '../../../src/edge/gate/reserve.ts';
import { type GateState, MIN_STREAK } from '../../../src/edge/gate/state.ts';
import { relayEnv } from '../../fakes/outbox.ts';

const newGate = () => relayEnv.RATE_GATE.getByName(crypto.randomUUID());
const ASK = { isolating: false, seen: undefined };

async function takeAll(gate: DurableObjectStub<RateGate>): Promise<Permit[]> {
  const permits: Permit[] = [];
  while (permits.at(-1)?.granted !== false) permits.push(await gate.take(ASK));
  return permits.filter(({ granted }) => granted);
}

test('the permits granted survive evictions, so no burst follows each of them', async () => {
  const gate = newGate();
  const from = Date.now();
  let granted = 0;

  for (let restart = 0; restart < 10; restart++) {
    granted += (await takeAll(gate)).length;
    await evictDurableObject(gate);
  }

  // A burst of 5, what may be promised 250 ms ahead, and what became due meanwhile.
  expect(granted).toBeLessThanOrEqual(5 + Math.ceil((250 + Date.now() - from) / 125) + 1);
});

const storedOf = (gate: DurableObjectStub<RateGate>) =>
  runInDurableObject(gate, (_, { storage }) => storage.kv.get<GateState>('state'));

test('one write reserves the starts of six seconds, and a gate that restarts grants none of them again', async () => {
  const gate = newGate();
  const before = Date.now();
  expect(await gate.take(ASK)).toMatchObject({ granted: true });
  const stored = await storedOf(gate);
  expect(stored?.pace.nextDueAt).toBeGreaterThanOrEqual(before + RESERVED_MS);

  expect(await gate.take(ASK)).toMatchObject({ granted: true, ours: 2 });
  expect(await storedOf(gate)).toEqual(stored);

  await evictDurableObject(gate);
  const permit = await gate.take(ASK);
  expect(permit.granted ? 0 : permit.retryInMs).toBeGreaterThan(RESERVED_MS / 2);
});

test('a limit in WebEngage’s answer is written at once if it changes the allowance', async () => {
  const gate = newGate();
  const seen = { limit: 500, remaining: 499, at: Date.now(), ours: 1 };
  await gate.take({ ...ASK, seen });
  const stored = await storedOf(gate);

  await gate.take({ ...ASK, seen: { ...seen, remaining: 498, ours: 2 } });
  expect(await storedOf(gate)).toEqual(stored);

  await gate.take({ ...ASK, seen: { ...seen, limit: 100, remaining: 90, ours: 3 } });
  expect((await storedOf(gate))?.seen).toMatchObject({ limit: 100 });
});

test('a pause survives an eviction, and a shorter one does not cut it', async () => {
  const gate = newGate();
  await gate.pause(60_000);
  await gate.pause(1_000);

  await evictDurableObject(gate);
  const permit = await gate.take(ASK);

  expect(permit).toMatchObject({ granted: false });
  expect(permit.granted ? 0 : permit.retryInMs).toBeGreaterThan(50_000);
  expect((await gate.status()).pausedUntil).toBeGreaterThan(Date.now());
});

test('a configuration error survives an eviction, until a call is accepted', async () => {
  const gate = newGate();
  await gate.misconfigured(401, { key: 'primary', kind: 'event', before: undefined });
  await evictDurableObject(gate);

  expect((await gate.status()).suspension).toMatchObject({ status: 401 });
  expect(await gate.take(ASK)).toMatchObject({ granted: false });

  await gate.taken('primary', 'event');
  expect((await gate.status()).suspension).toBeNull();
  expect(await gate.take(ASK)).toMatchObject({ granted: true });
});

test('outboxes with records stay registered through an eviction, until they are retired', async () => {
  const gate = newGate();
  const names = async () => (await gate.outboxes()).map(({ name }) => name);
  await gate.enrolOutbox('1/0');
  await gate.enrolOutbox('eu/4/2');
  await gate.enrolOutbox('eu/4/2');
  await evictDurableObject(gate);
  expect(await names()).toEqual(['1/0', 'eu/4/2']);

  await gate.retire((await gate.outboxes()).slice(0, 1));

  expect(await names()).toEqual(['eu/4/2']);
});

test('an outbox that was registered again since the check is not retired', async () => {
  const gate = newGate();
  await gate.enrolOutbox('1/0');
  const seen = await gate.outboxes();
  await gate.enrolOutbox('1/0');

  await gate.retire(seen);

  expect(await gate.outboxes()).toHaveLength(1);
});

test('a retirement under an earlier registration has no effect on a later one', async () => {
  const gate = newGate();
  await gate.enrolOutbox('2/0');
  const seen = await gate.outboxes();
  await gate.retire(seen);
  await gate.enrolOutbox('2/0');

  await gate.retire(seen);

  expect(await gate.outboxes()).toHaveLength(1);
});

test('an outbox on hold is not retired, though its restore has emptied it: it can still be undone or resumed', async () => {
  const gate = newGate();
  const names = async () => (await gate.outboxes()).map(({ name }) => name);
  await gate.beginHold('2/0', { id: 'this', at: 1, since: 2 });

  await gate.retire(await gate.outboxes());
  expect(await names()).toEqual(['2/0']);

  await gate.endHold('2/0', true);
  await gate.retire(await gate.outboxes());
  expect(await names()).toEqual([]);
});

test('shard numbers that an older release stored are read, also after a rollback to it', async () => {
  const gate = newGate();
  await gate.enrolOutbox('1/0');
  await runInDurableObject(gate, (_, { storage }) => storage.kv.put('epochs', [{ shards: 2, turn: 7 }]));

  const names = async () => (await gate.outboxes()).map(({ name }) => name);
  expect(await names()).toEqual(['1/0', '2/0', '2/1']);
  await gate.enrolOutbox('2/0');
  expect((await names()).toSorted()).toEqual(['1/0', '2/0', '2/1']);
});

test('a gate that refuses a request writes nothing', async () => {
  const gate = newGate();
  await gate.pause(60_000);

  const written = await runInDurableObject(gate, (instance, { storage }) => {
    const changes = () => Number(storage.sql.exec('SELECT total_changes() AS changes').one().changes);
    const before = changes();
    instance.take(ASK);
    return changes() - before;
  });

  expect(written).toBe(0);
});

test('each outbox refused only for the rate gets its own retry slot', async () => {
  const permits = await runInDurableObject(newGate(), (gate) =>
    Array.from({ length: 15 }, (_, index) => gate.take(ASK, `${index}`)),
  );
  const turns = permits.flatMap((permit) => (permit.granted ? [] : [permit.retryInMs]));

  expect(turns.length).toBeGreaterThan(5);
  expect(new Set(turns).size).toBe(turns.length);
});

test('the count of consecutive refusals survives an eviction', async () => {
  const gate = newGate();
  for (let n = 1; n < MIN_STREAK; n++) await gate.refused(400, { kind: 'event', before: undefined });
  expect((await gate.status()).suspension).toBeNull();
  await evictDurableObject(gate);

  expect((await gate.refused(400, { kind: 'event', before: undefined })).streak?.since).toBeLessThanOrEqual(
    Date.now(),
  );
  expect((await gate.status()).suspension).toMatchObject({ status: 400 });
});

test('the secondary key is used if it is set and the primary one was refused', async () => {
  const permit = await runInDurableObject(newGate(), (gate) => {
    const bound = gate as unknown as { env: object };
    bound.env = { ...bound.env, WEBENGAGE_API_KEY_SECONDARY: 'another-key' };
    gate.misconfigured(401, { key: 'primary', kind: 'event', before: undefined });
    return gate.take(ASK);
  });

  expect(permit).toMatchObject({ granted: true, key: 'secondary' });
});

test('suspending all calls is one line in the log, and resuming is another', async () => {
  const lines: string[] = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line));
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  const gate = newGate();

  await gate.misconfigured(401, { key: 'primary', kind: 'event', before: undefined });
  await gate.misconfigured(401, { key: 'primary', kind: 'event', before: undefined });
  await gate.taken('primary', 'event');
  vi.restoreAllMocks();

  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { event: 'suspended', status: 401 },
    { event: 'recovered', status: 401, afterMs: expect.any(Number) },
  ]);
});

test('counts of all isolates add up, and survive an eviction, except for those of the last minute', async () => {
  const gate = newGate();
  await gate.addCounts('bots', { user_agent: 3, refused: 3 });
  await gate.addCounts('bots', { user_agent: 1, webdriver: 2 });
  const before = await gate.counts('bots');

  await evictDurableObject(gate);
  await gate.addCounts('bots', { cloudflare: 5 });
  const after = await gate.counts('bots');

  expect(before.total).toEqual({ user_agent: 4, webdriver: 2, refused: 3 });
  expect(after.total).toEqual({ user_agent: 3, refused: 3, cloudflare: 5 });
});
