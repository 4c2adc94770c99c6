import {
  createExecutionContext,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
  waitOnExecutionContext,
} from 'cloudflare:test';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Env } from '../../../src/edge/durable-objects/env.ts';
import { restingOutboxes } from '../../../src/edge/durable-objects/resting-outboxes.ts';
import { createRelay, type RelayWorker } from '../../../src/edge/worker.ts';
import { type ReadExposition, readExposition, sumOf } from '../../fakes/metrics/exposition.ts';
import { relayEnv } from '../../fakes/outbox.ts';
import { eventRecord, idOf, userRecord } from '../../fakes/records.ts';
import { loggedLines } from '../logs-and-storage.ts';
import { batchOf, newSession, SHOP } from '../requests.ts';

const TOKEN = 'a-metrics-token-of-enough-characters';
const outbox = relayEnv.OUTBOX.getByName('1/0');
const gate = relayEnv.RATE_GATE.getByName('account');

let relay: RelayWorker;
/** Every call that the Worker makes of an object: its kind and the method. */
let asked: string[];

// Once for all tests: an outbox keeps the clock that it was made with.
beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
});

afterAll(() => {
  vi.useRealTimers();
});

beforeEach(() => {
  relay = createRelay();
  asked = [];
  vi.stubGlobal('fetch', async () => Response.json({ response: { status: 'queued' } }, { status: 201 }));
});

afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await runInDurableObject(outbox, (_, { storage }) => storage.deleteAlarm());
});

/** The relay's objects, whose calls are noted. */
function notingEnv(more: Partial<Env> = {}): Env {
  const noted = (kind: string, namespace: { getByName: (name: string) => object }) => ({
    getByName: (name: string) =>
      new Proxy(namespace.getByName(name), {
        get: (stub, method) => {
          asked.push(`${kind}.${String(method)}`);
          // `bind` would be a call of a method of that name.
          return (...args: readonly unknown[]) => Reflect.get(stub, method)(...args);
        },
      }),
  });
  return {
    ...relayEnv,
    OUTBOX: noted('outbox', relayEnv.OUTBOX),
    RATE_GATE: noted('gate', relayEnv.RATE_GATE),
    ...more,
  } as unknown as Env;
}

async function ask(path: string, init: RequestInit = {}, more: Partial<Env> = {}): Promise<Response> {
  const context = createExecutionContext();
  const call = new Request(`http://127.0.0.1:8787${path}`, init);
  const answer = await relay.fetch(call, notingEnv(more), context);
  const text = await answer.text();
  await waitOnExecutionContext(context);
  return new Response(text, answer);
}

const withToken = (token: string, headers = {}) => ({
  headers: { Authorization: `Bearer ${token}`, ...headers },
});

/** A scrape by an isolate that has not been asked before. */
async function scrape(more: Partial<Env> = {}): Promise<ReadExposition> {
  relay = createRelay();
  asked = [];
  const answer = await ask('/metrics', withToken(TOKEN), more);
  expect(answer.status).toBe(200);
  return readExposition(await answer.text());
}

async function post(batch: unknown, headers = {}): Promise<number> {
  const answer = await ask('/v1/batch', {
    method: 'POST',
    body: JSON.stringify(batch),
    headers: { 'Content-Type': 'text/plain;charset=UTF-8', Origin: SHOP, ...headers },
  });
  return answer.status;
}

const grownBetween =
  (before: ReadExposition, after: ReadExposition) =>
  (name: string, labels = {}): number =>
    (sumOf(after, name, labels) ?? 0) - (sumOf(before, name, labels) ?? 0);

/** Lets the outbox send what it has. */
async function deliver(): Promise<void> {
  await vi.waitFor(
    async () => {
      vi.setSystemTime(Date.now() + 1_000);
      await runDurableObjectAlarm(outbox);
      expect(await outbox.status()).toMatchObject({ records: 0 });
    },
    { timeout: 20_000 },
  );
}

/** An object that is not running has nothing to lose. */
const evict = (stub: DurableObjectStub) => evictDurableObject(stub).catch(() => undefined);

const received = (read: ReadExposition, outcome: string) =>
  sumOf(read, 'webengage_relay_records_received_total', { outbox: '1/0', outcome }) ?? 0;

describe('the endpoint', () => {
  test.each([
    ['no token', {}],
    ['a wrong token', withToken('a-token-that-is-not-the-one-for-metrics')],
    ['the token of the operator', withToken(relayEnv.ADMIN_TOKEN ?? '')],
  ])('does not exist for %s', async (_, init) => {
    expect((await ask('/metrics', init)).status).toBe(404);
    expect(asked).toEqual([]);
  });

  test('does not exist without a METRICS_TOKEN', async () => {
    expect((await ask('/metrics', withToken(''), { METRICS_TOKEN: '' })).status).toBe(404);
    expect((await ask('/metrics', withToken(TOKEN), { METRICS_TOKEN: '' })).status).toBe(404);
  });

  test('logs how often a wrong token came, and not which', async () => {
    const logged = loggedLines();

    await ask('/metrics', withToken('a-token-that-is-not-the-one-for-metrics'));

    expect(logged()).toContain(JSON.stringify('{"event":"wrong_metrics_token","times":1}').slice(1, -1));
    expect(logged()).not.toContain('not-the-one');
  });

  test('answers in OpenMetrics if asked for it, else in the older format', async () => {
    const open = await ask(
      '/metrics',
      withToken(TOKEN, { Accept: 'application/openmetrics-text;version=1.0.0' }),
    );
    const older = await ask('/metrics', withToken(TOKEN, { Accept: '*/*' }));

    expect(open.headers.get('Content-Type')).toBe(
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    );
    expect(await open.text()).toMatch(/\n# EOF\n$/);
    expect(older.headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await older.text()).toContain('# TYPE webengage_relay_calls_total counter');
  });

  test('is closed to pages of other sites: no header lets one read it', async () => {
    const answer = await ask('/metrics', withToken(TOKEN, { Origin: SHOP }), { ALLOWED_ORIGINS: '*' });

    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
  });

  test('asks the objects at most once in 10 seconds', async () => {
    const scrapeAgain = () => ask('/metrics', withToken(TOKEN));
    await scrapeAgain();
    asked = [];

    vi.setSystemTime(Date.now() + 9_000);
    await scrapeAgain();
    expect(asked).toEqual([]);

    vi.setSystemTime(Date.now() + 1_000);
    await scrapeAgain();
    expect(asked).toContain('gate.metrics');
  });
});

describe('the figures', () => {
  test('count records by outcome and end, calls, answers and delays', async () => {
    const before = await scrape();
    const session = newSession();
    const batch = batchOf(
      userRecord(1, { id: idOf(1, session) }),
      eventRecord(2, { id: idOf(2, session) }),
      eventRecord(3, { id: idOf(3, session), eventName: '' }),
    );

    relay = createRelay();
    expect(await post(batch)).toBe(202);
    expect(sumOf(await scrape(), 'webengage_relay_backlog_records', { lane: 'live' })).toBe(2);
    relay = createRelay();
    expect(await post(batch)).toBe(202);
    expect(await post(batchOf())).toBe(202);
    await deliver();

    const after = await scrape();
    const grown = grownBetween(before, after);
    expect(received(after, 'accepted') - received(before, 'accepted')).toBe(3);
    expect(received(after, 'duplicate') - received(before, 'duplicate')).toBe(2);
    expect(received(after, 'rejected') - received(before, 'rejected')).toBe(2);
    expect(grown('webengage_relay_records_ended_total', { end: 'delivered' })).toBe(3);
    expect(grown('webengage_relay_calls_total', { outcome: 'taken' })).toBe(2);
    expect(grown('webengage_relay_delivery_delay_seconds_count')).toBe(3);
    // The first isolate ended before it could tell, and the second one's first batch went along with its second.
    expect(grown('webengage_relay_batch_duration_seconds_count')).toBe(1);
    expect(sumOf(after, 'webengage_relay_backlog_records')).toBe(0);
    expect(sumOf(after, 'webengage_relay_allowance_used_ratio')).toBeCloseTo(2 / 482.5, 5);
    expect(sumOf(after, 'webengage_relay_suspended')).toBe(0);
  });

  test('leave out the delays of an import, which waits by design', async () => {
    const before = await scrape();
    const serverToken = 'a-server-token-of-enough-characters';
    const batch = { ...batchOf(eventRecord(1, { id: idOf(1, newSession()) })), lane: 'import' };

    relay = createRelay();
    const answer = await ask(
      '/v1/batch',
      { ...withToken(serverToken), method: 'POST', body: JSON.stringify(batch) },
      { SERVER_TOKEN: serverToken },
    );
    await deliver();

    const after = await scrape();
    const grown = grownBetween(before, after);
    expect(answer.status).toBe(202);
    expect(grown('webengage_relay_records_received_total', { lane: 'import', outcome: 'accepted' })).toBe(1);
    expect(grown('webengage_relay_records_ended_total', { end: 'delivered' })).toBe(1);
    expect(grown('webengage_relay_delivery_delay_seconds_count')).toBe(0);
  });

  test('count refused batches by reason, the first at once and others within a minute, though the gate is evicted', async () => {
    const refused = (read: ReadExposition, reason: string) =>
      sumOf(read, 'webengage_relay_batches_refused_total', { reason }) ?? 0;
    const before = await scrape();

    const isolate = createRelay();
    relay = isolate;
    expect(await post(batchOf(), { Origin: 'https://evil.example' })).toBe(403);
    expect(await post('no batch')).toBe(400);
    await evict(gate);
    const first = await scrape();
    vi.setSystemTime(Date.now() + 60_000);
    relay = isolate;
    expect(await post('no batch')).toBe(400);
    const later = await scrape();

    expect(refused(first, 'origin_not_allowed') - refused(before, 'origin_not_allowed')).toBe(1);
    expect(refused(first, 'invalid_batch') - refused(before, 'invalid_batch')).toBe(0);
    expect(refused(later, 'invalid_batch') - refused(before, 'invalid_batch')).toBe(2);
  });

  test('of an outbox that does not answer are missing, and those of others are not', async () => {
    await post(batchOf());
    const silent = {
      getByName: () => ({ metrics: () => Promise.reject(new Error('gone')), probe: async () => {} }),
    } as unknown as Env['OUTBOX'];

    await gate.endRest('1/0');
    const read = await scrape({ OUTBOX: silent });

    expect(sumOf(read, 'webengage_relay_outbox_up', { outbox: '1/0' })).toBe(0);
    expect(sumOf(read, 'webengage_relay_binding_up', { binding: 'OUTBOX' })).toBe(1);
    expect(sumOf(read, 'webengage_relay_backlog_records')).toBeUndefined();
    expect(sumOf(read, 'webengage_relay_allowance_calls')).toBe(500);
    await deliver();
  });

  test.each([
    ['is missing', undefined],
    ['leads to a class without the methods of an outbox', { getByName: () => ({}) }],
  ])('say that the binding of the outboxes %s', async (_, bound) => {
    await gate.endRest('1/0');
    const read = await scrape({ OUTBOX: bound as unknown as Env['OUTBOX'] });

    expect(sumOf(read, 'webengage_relay_binding_up', { binding: 'OUTBOX' })).toBe(0);
    expect(sumOf(read, 'webengage_relay_binding_up', { binding: 'RATE_GATE' })).toBe(1);
    expect(sumOf(read, 'webengage_relay_outbox_up', { outbox: '1/0' })).toBe(0);
    expect(sumOf(read, 'webengage_relay_allowance_calls')).toBe(500);
  });

  test('say that the binding of the gate is missing, and nothing else', async () => {
    const read = await scrape({ RATE_GATE: undefined as unknown as Env['RATE_GATE'] });

    expect(read.samples).toEqual([
      { name: 'webengage_relay_binding_up', labels: { binding: 'OUTBOX' }, value: 1 },
      { name: 'webengage_relay_binding_up', labels: { binding: 'RATE_GATE' }, value: 0 },
    ]);
    expect(asked).toEqual([]);
  });

  test('never become less, though objects are evicted between scrapes', async () => {
    let last = new Map<string, number>();
    for (let round = 0; round < 3; round++) {
      await post(batchOf());
      await post('no batch');
      if (round % 2) await deliver();
      const read = await scrape();
      const counts = new Map(
        read.samples
          .filter(({ name }) => /_(total|count|sum|bucket)$/.test(name))
          .map(({ name, labels, value }) => [JSON.stringify([name, labels]), value]),
      );
      for (const [series, value] of last)
        expect(counts.get(series) ?? 0, series).toBeGreaterThanOrEqual(value);
      last = counts;
      await evict(outbox);
      await evict(gate);
    }
    expect(last.size).toBeGreaterThan(40);
  }, 60_000);

  test('contain no id, no person and no secret', async () => {
    const session = newSession();
    const batch = batchOf(
      userRecord(1, { id: idOf(1, session), userId: 'canary-user', email: 'canary@example.com' }),
      eventRecord(2, { id: idOf(2, session), eventName: 'canary-event', eventData: { canary: 'canary' } }),
      { ...eventRecord(3, { id: idOf(3, session), eventName: 'canary-event' }), 'canary-field': 1 },
    );
    await post(batch, { 'CF-Connecting-IP': '203.0.113.77' });
    await deliver();

    relay = createRelay();
    const answer = await ask('/metrics', withToken(TOKEN));
    const text = await answer.text();

    for (const secret of [
      'canary',
      '203.0.113',
      session,
      batch.device,
      SHOP,
      TOKEN,
      relayEnv.ADMIN_TOKEN ?? '',
      relayEnv.WEBENGAGE_API_KEY ?? '',
      relayEnv.WEBENGAGE_LICENSE_CODE ?? '',
    ])
      expect(text).not.toContain(secret);
  });
});

describe('an outbox at rest', () => {
  beforeEach(async () => {
    await post(batchOf());
    await deliver();
    await scrape();
  });

  test('is not asked again: a scrape of an idle relay calls only the gate', async () => {
    const first = await scrape();
    const second = await scrape();

    expect(asked).toEqual(['gate.metrics']);
    expect(second.samples).toEqual(first.samples);
    expect(sumOf(second, 'webengage_relay_outbox_up', { outbox: '1/0' })).toBe(1);
  });

  test('stays asleep even if the gate is evicted', async () => {
    await evictDurableObject(gate);

    await scrape();

    expect(asked).toEqual(['gate.metrics']);
  });

  test('is asked once it has sent a record', async () => {
    const before = await scrape();

    await post(batchOf());
    await deliver();

    const after = await scrape();
    expect(asked).toContain('outbox.metrics');
    expect(received(after, 'accepted') - received(before, 'accepted')).toBe(1);
  });

  test.each(['awake', 'evicted'])(
    'is asked once it has counted a double, whether %s meanwhile',
    async (how) => {
      const batch = batchOf();
      await post(batch);
      await deliver();
      const before = await scrape();
      if (how === 'evicted') await evictDurableObject(outbox);

      await post(batch);

      await vi.waitFor(async () => {
        const after = await scrape();
        expect(received(after, 'duplicate') - received(before, 'duplicate')).toBe(1);
      });
    },
  );

  test('is asked once its dead letters are discarded', async () => {
    vi.stubGlobal('fetch', async () => Response.json({ response: { message: 'no' } }, { status: 400 }));
    await post(batchOf());
    await deliver();
    expect(sumOf(await scrape(), 'webengage_relay_dead_letters')).toBe(1);

    await outbox.discard({ until: Date.now() }, 100);

    await vi.waitFor(async () => expect(sumOf(await scrape(), 'webengage_relay_dead_letters')).toBe(0));
  });
});

describe('figures that the gate keeps', () => {
  const figures = (entered: number) => ({ entered }) as unknown as Parameters<Kept['keep']>[2];
  type Kept = ReturnType<typeof restingOutboxes>;
  const inGate = (act: (kept: Kept) => void) =>
    runInDurableObject(gate, (_, { storage }) => {
      const kept = restingOutboxes(storage.kv);
      kept.end('test');
      act(kept);
    });

  test('are given to each scrape until the outbox counts again', () =>
    inGate((kept) => {
      expect(kept.read('test', 'a')).toBeUndefined();
      kept.keep('test', 'a', figures(1));
      expect(kept.read('test', 'b')).toEqual(figures(1));
      expect(kept.read('test', 'c')).toEqual(figures(1));

      kept.end('test');

      expect(kept.read('test', 'd')).toBeUndefined();
    }));

  test('are not kept if the outbox has counted while it was asked', () =>
    inGate((kept) => {
      kept.read('test', 'a');
      kept.end('test');
      kept.keep('test', 'a', figures(1));

      expect(kept.read('test', 'b')).toBeUndefined();
    }));

  test('are not kept if another scrape has asked since: its answer may be newer', () =>
    inGate((kept) => {
      kept.read('test', 'a');
      kept.read('test', 'b');
      kept.keep('test', 'b', figures(2));
      kept.keep('test', 'a', figures(1));

      expect(kept.read('test', 'c')).toEqual(figures(2));
    }));
});
