import { createExecutionContext, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LIVE_PORTS } from '../../../src/edge/alerts/send.ts';
import type { Env } from '../../../src/edge/durable-objects/env.ts';
import { outboxesInUse } from '../../../src/edge/durable-objects/outbox-directory.ts';
import { gateOf } from '../../../src/edge/durable-objects/rate-gate.ts';
import { readSettings } from '../../../src/edge/settings/settings.ts';
import { MAX_SHARDS } from '../../../src/edge/settings/settings-table.ts';
import { jurisdictionOf, shardOf, shardsOf } from '../../../src/edge/settings/shards.ts';
import { watch } from '../../../src/edge/watchdog/watchdog.ts';
import { createRelay } from '../../../src/edge/worker.ts';
import {
  deadLettersOf,
  delivery,
  ingestAt,
  newOutbox,
  passAt,
  relayEnv,
  rulingUpstream,
  turnOverAt,
} from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';

const DAY = 86_400_000;
const relay = createRelay();

/** The watchdog in a minute in which it asks even the outboxes of a quiet relay. */
const wakeAll = (env: Env) => watch(env, { scheduledAt: 0, isSetUp: true }, LIVE_PORTS);

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the outbox of a device', () => {
  test('is always the same one for a given number of shards', () => {
    for (let shards = 1; shards <= MAX_SHARDS; shards++) {
      const name = shardOf('0b9d3c5e-8f1a-4c2b-9d7e-6a5b4c3d2e1f', shards);

      expect(shardsOf(shards)).toContain(name);
      expect(shardOf('0b9d3c5e-8f1a-4c2b-9d7e-6a5b4c3d2e1f', shards)).toBe(name);
    }
  });

  test('is evenly distributed', () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 16_000; n++) {
      const name = shardOf(crypto.randomUUID(), 16);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }

    expect(counts.size).toBe(16);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(250);
  });
});

/** A relay of an account of its own. */
function site(shards: number, license = `~${crypto.randomUUID()}`) {
  const env: Env = { ...relayEnv, WEBENGAGE_LICENSE_CODE: license, OUTBOX_SHARDS: String(shards) };
  const read = readSettings(env);
  if (!read.ok) throw new Error(read.message);
  return { env, settings: read.settings, license };
}

async function send(env: Env, device: string, ...records: object[]): Promise<unknown> {
  const body = JSON.stringify({ v: 1, sentAt: new Date().toISOString(), device, records });
  const request = new Request('http://127.0.0.1:8787/v1/batch', {
    method: 'POST',
    body,
    headers: { Origin: 'https://shop.example.com' },
  });
  const answer = await relay.fetch(request, env, createExecutionContext());
  return answer.json();
}

describe('another number of shards', () => {
  const device = crypto.randomUUID();
  const session = crypto.randomUUID().replaceAll('-', '').slice(0, 22);
  const record = (n: number) => eventRecord(n, { id: idOf(n, session) });

  test('loses nothing: the earlier outboxes are known, woken, drained and retired when empty', async () => {
    vi.stubGlobal('fetch', async () => new Response('{}', { status: 503 }));
    const before = site(3);
    await send(before.env, device, record(1));
    const old = relayEnv.OUTBOX.getByName(shardOf(device, 3));
    // As if the platform had given its alarm up.
    await runInDurableObject(old, (_, { storage }) => storage.deleteAlarm());
    const after = site(2, before.license);

    expect(await outboxesInUse(after.env)).toContain(shardOf(device, 3));

    await wakeAll(after.env);
    const alarm = await runInDurableObject(old, (_, { storage }) => storage.getAlarm());
    expect(alarm).not.toBeNull();

    const bodies: string[] = [];
    vi.stubGlobal('fetch', async (call: Request) => {
      bodies.push(await call.text());
      return new Response('{}');
    });
    await vi.waitFor(
      async () => {
        await runDurableObjectAlarm(old);
        expect((await old.status()).records).toBe(0);
      },
      { timeout: 10_000 },
    );
    expect(bodies.join()).toContain('Added to Cart');

    // What it remembers of ids is still wanted: it is not let go yet.
    await wakeAll(after.env);
    expect(await outboxesInUse(after.env)).toContain(shardOf(device, 3));
  });

  test('retires an outbox that holds nothing, not even ids, and knows it again when it holds something', async () => {
    const { env } = site(1);
    const again = crypto.randomUUID();
    const name = shardOf(again, 7);
    const isKnown = async () => (await outboxesInUse(env)).includes(name);
    await gateOf(env).enrolOutbox(name);

    await wakeAll(env);
    expect(await isKnown()).toBe(false);

    // Back to that number: its outboxes have to make themselves known once more.
    await send(site(7).env, again, record(20));
    expect(await isKnown()).toBe(true);
    await relayEnv.OUTBOX.getByName(name).status();
  });

  test('and another license code: the earlier outboxes are still drained', async () => {
    const { env } = site(8);
    const sender = crypto.randomUUID();
    await send(env, sender, record(30));
    const moved = site(9, '~another');

    expect(await outboxesInUse(moved.env)).toContain(shardOf(sender, 8));
  });

  test('accepts a record again if its answer was lost just then, as the new outbox can’t know it', async () => {
    const { license, env } = site(5);
    const resent = crypto.randomUUID();
    expect(await send(env, resent, record(10))).toMatchObject({ accepted: 1 });

    expect(await send(env, resent, record(10))).toMatchObject({ duplicates: 1 });
    expect(await send(site(6, license).env, resent, record(10))).toMatchObject({ accepted: 1 });
    // And back again: what was known is known.
    expect(await send(env, resent, record(10))).toMatchObject({ duplicates: 1 });
  });
});

/** An environment whose outboxes are these, and nothing else. */
function withOutboxes(names: readonly string[], wake: (name: string) => Promise<boolean>) {
  const calls: string[] = [];
  const retired: string[] = [];
  const gate = {
    beginWatch: async () => ({
      streak: undefined,
      outboxes: names.map((name, turn) => ({ name, turn })),
      isQuiet: true,
    }),
    endWatch: async () => ({}),
    retire: async (empty: readonly { name: string }[]) => void retired.push(...empty.map(({ name }) => name)),
  };
  const outboxes = (jurisdiction: string) => ({
    getByName: (name: string, { locationHint }: { locationHint: string }) => {
      calls.push(`${jurisdiction} ${name} ${locationHint}`);
      return { watch: async () => ({ isEmpty: await wake(name), figures: {} }) };
    },
    jurisdiction: outboxes,
  });
  const env = { ...relayEnv, RATE_GATE: { getByName: () => gate }, OUTBOX: outboxes('') };
  return { env: env as unknown as Env, calls, retired };
}

test('an outbox that can’t be woken keeps no other asleep, and only an empty one is retired', async () => {
  const { env, retired } = withOutboxes(['3/0', '3/1', '3/2'], async (name) => {
    if (name === '3/1') throw new Error('it is gone');
    return name === '3/2';
  });

  await wakeAll(env);

  expect(retired).toEqual(['3/2']);
});

describe('the location of an outbox', () => {
  test('is its jurisdiction, by its name, and an outbox from before a change is still found', async () => {
    const { env, calls } = withOutboxes(['1/0', 'eu/1/0'], async () => false);

    await wakeAll({ ...env, JURISDICTION: 'us', LOCATION_HINT: 'weur' });

    expect(calls).toEqual([' 1/0 weur', 'eu eu/1/0 weur']);
    expect(shardOf('a device', 1, 'us')).toBe('us/1/0');
    expect(['1/0', 'eu/1/0', 'fedramp/64/63'].map(jurisdictionOf)).toEqual([undefined, 'eu', 'fedramp']);
  });

  test.each([
    [undefined, 'enam'],
    ['in', 'apac'],
    ['ksa', 'me'],
  ])('is near WebEngage’s region %s by default', async (WEBENGAGE_REGION, near) => {
    const { env, calls } = withOutboxes(['1/0'], async () => false);

    await wakeAll({ ...env, ...(WEBENGAGE_REGION && { WEBENGAGE_REGION }) });

    expect(calls).toEqual([` 1/0 ${near}`]);
  });

  test('is near the host if a host is set instead of a region', async () => {
    const { env, calls } = withOutboxes(['1/0'], async () => false);

    await wakeAll({ ...env, WEBENGAGE_HOST: 'api.in.webengage.com', WEBENGAGE_REGION: 'ksa' });

    expect(calls).toEqual([' 1/0 apac']);
  });
});

test('the watchdog creates no outbox and asks only those with records', async () => {
  const { env, calls } = withOutboxes([], async () => false);

  await wakeAll(env);

  expect(calls).toEqual([]);
});

test('expired ids are dropped even if no request arrives', async () => {
  const stub = relayEnv.OUTBOX.getByName(`9/${crypto.randomUUID()}`);
  const old = Math.floor(Date.now() / DAY) - 20;
  await runInDurableObject(stub, (_, { storage }) =>
    storage.sql.exec(`CREATE TABLE seen_${old} (device TEXT)`),
  );

  expect(await stub.wake()).toBe(true);
});

test('an idle outbox requeues its dead letters of a refusal streak when it is woken', async () => {
  const stub = newOutbox();
  const now = Date.now();
  await ingestAt(stub, delivery('a', eventRecord(1), eventRecord(2)), now - 60_000);
  await passAt(
    stub,
    rulingUpstream(() => 400),
    now - 50_000,
  );
  expect(await deadLettersOf(stub)).toHaveLength(2);

  await stub.wake({ since: now - 55_000, until: now - 20_000 });

  expect(await deadLettersOf(stub)).toHaveLength(0);
  expect(await stub.status()).toMatchObject({ records: 2, totals: { requeued: 2 } });
  await runInDurableObject(stub, (_, { storage }) => storage.deleteAlarm());
});

test('an outbox with dead letters is not retired, even if all its remembered ids have expired', async () => {
  const stub = newOutbox();
  const old = Date.now() - 30 * DAY;
  await ingestAt(stub, delivery('a', eventRecord(1)), old);
  await passAt(
    stub,
    rulingUpstream(() => 400),
    old + 1_000,
  );

  await turnOverAt(stub, old + 2_000);
  await turnOverAt(stub, old + 3_000);

  expect(await stub.wake()).toBe(false);

  await stub.discard({ until: Date.now() }, 10);
  expect(await stub.wake()).toBe(true);
});
