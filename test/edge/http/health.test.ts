import { createExecutionContext, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test, vi } from 'vitest';
import type { Env } from '../../../src/edge/durable-objects/env.ts';
import { count } from '../../../src/edge/queue/counters/tally.ts';
import type { QueueHealth } from '../../../src/edge/queue/status.ts';
import { createRelay } from '../../../src/edge/worker.ts';
import { delivery, ingestAt, passAt, relayEnv, scriptedUpstream } from '../../fakes/outbox.ts';
import { eventRecord } from '../../fakes/records.ts';

const MINUTE = 60_000;

type Scene = {
  readonly suspension?: { readonly since: number; readonly status: number } | null;
  readonly pausedUntil?: number | null;
  readonly onHold?: readonly string[];
  /** How each outbox stands that is in use. */
  readonly outboxes?: Readonly<Record<string, Partial<QueueHealth> | Error>>;
  readonly probe?: Error;
};

const orThrow = <T>(value: T | Error): T => {
  if (value instanceof Error) throw value;
  return value;
};

/** The relay's bindings, with a gate and outboxes as the test has them; and whom it asked. */
function fakeBindings({ suspension = null, pausedUntil = null, onHold = [], outboxes = {}, probe }: Scene) {
  const calls: string[] = [];
  const gate = {
    status: async () => ({ suspension, pausedUntil, onHold }),
    outboxes: async () => Object.keys(outboxes).map((name, turn) => ({ name, turn })),
  };
  const named = (name: string) => ({
    probe: async () => probe && orThrow(probe),
    health: async () => {
      calls.push(name);
      return { waiting: [], full: undefined, ...orThrow(outboxes[name] ?? {}) };
    },
  });
  const env = { ...relayEnv, RATE_GATE: { getByName: () => gate }, OUTBOX: { getByName: named } };
  return { env: env as unknown as Env, calls };
}

async function healthOf(env: Env, path = '/health') {
  // One that has asked nothing yet.
  const relay = createRelay();
  const answer = await relay.fetch(new Request(`http://127.0.0.1${path}`), env, createExecutionContext());
  return { code: answer.status, ...(await answer.json<{ status: string; message?: string }>()) };
}

const ago = (ms: number) => Date.now() - ms;

describe('/health is 200', () => {
  test.each<[string, Scene]>([
    ['before the first record', {}],
    ['if no records wait', { outboxes: { '1/0': {} } }],
    ['if records wait, and some were just accepted', waitsAndTook(60 * MINUTE, MINUTE)],
    ['if records have just arrived, after a quiet night', waitsAndTook(MINUTE, 600 * MINUTE)],
    ['if an outbox that gets no records is on hold', { outboxes: { '4/0': {} }, onHold: ['4/0'] }],
    ['if a retired outbox is fuller than the limit allows now', { outboxes: { '4/0': { full: 'records' } } }],
  ])('%s', async (_, scene) => {
    expect(await healthOf(fakeBindings(scene).env)).toMatchObject({ code: 200, status: 'ok' });
  });
});

function waitsAndTook(waitsMs: number, tookMs: number): Scene {
  const waiting = [{ lane: 'live', kind: 'event', since: ago(waitsMs), takenAt: ago(tookMs) }] as const;
  return { outboxes: { '1/0': { waiting } } };
}

function usersWait(): Scene {
  const waiting = [
    { lane: 'live', kind: 'event', since: ago(MINUTE), takenAt: ago(1_000) },
    { lane: 'live', kind: 'user', since: ago(60 * MINUTE), takenAt: ago(60 * MINUTE) },
  ] as const;
  return { outboxes: { '1/0': { waiting } } };
}

describe('/health is 503, and says what to do', () => {
  test.each<[string, Scene, string, RegExp]>([
    ['WebEngage refuses all', { suspension: { since: ago(MINUTE), status: 401 } }, 'suspended', /API key/],
    [
      'no records are accepted any more',
      waitsAndTook(6 * MINUTE, 6 * MINUTE),
      'stale',
      /accepted none for 36\d s/,
    ],
    ['no record was ever accepted', waitsAndTook(6 * MINUTE, Date.now()), 'stale', /1\/0/],
    ['no users are accepted, but events are', usersWait(), 'stale', /users are waiting.*may write users/],
    [
      'WebEngage pauses the account for a long time',
      { ...waitsAndTook(6 * MINUTE, 6 * MINUTE), pausedUntil: ago(-MINUTE) },
      'stale',
      /429.*until 20/,
    ],
    ['an outbox has too many records', { outboxes: { '1/0': { full: 'records' } } }, 'full', /MAX_BACKLOG/],
    ['an outbox has too many bytes', { outboxes: { '1/0': { full: 'bytes' } } }, 'full', /OUTBOX_SHARDS/],
    ['an outbox is on hold', { outboxes: { '1/0': {} }, onHold: ['1/0'] }, 'full', /resume it, or undo/],
    ['an outbox can’t be created', { probe: new Error('no SQLite') }, 'broken', /new_sqlite_classes/],
  ])('%s', async (_, scene, status, message) => {
    expect(await healthOf(fakeBindings(scene).env)).toMatchObject({
      code: 503,
      status,
      message: expect.stringMatching(message),
    });
  });

  test.each(['OUTBOX', 'RATE_GATE'])('%s must be bound to a Durable Object', async (name) => {
    for (const bound of [undefined, {}, 'text'])
      expect(await healthOf({ ...relayEnv, [name]: bound } as unknown as Env)).toMatchObject({
        code: 503,
        status: 'broken',
        message: expect.stringContaining(name),
      });
  });

  test('an object is bound in the place of another', async () => {
    const another = { getByName: () => ({ take: async () => {} }) };
    const env = { ...relayEnv, OUTBOX: another } as unknown as Env;

    expect(await healthOf(env)).toMatchObject({ code: 503, status: 'broken' });
  });

  test('OUTBOX is bound to the class of the gate', async () => {
    const env = { ...relayEnv, OUTBOX: relayEnv.RATE_GATE } as unknown as Env;

    expect(await healthOf(env)).toMatchObject({
      code: 503,
      status: 'broken',
      message: expect.stringMatching(/OUTBOX must be bound to the class Outbox/),
    });
  });

  test('and follows HEALTH_STALE_MS, so a minute may be enough', async () => {
    const { env } = fakeBindings(waitsAndTook(MINUTE, MINUTE));

    expect((await healthOf(env)).code).toBe(200);
    expect((await healthOf({ ...env, HEALTH_STALE_MS: '30000' })).code).toBe(503);
  });
});

test('/health/live is 200 even if nothing else works', async () => {
  expect(await healthOf({} as Env, '/health/live')).toMatchObject({ code: 200, status: 'ok' });
  expect((await healthOf({} as Env)).code).toBe(503);
});

test.each([
  [new Error('gone'), /failed to answer twice/],
  [Object.assign(new Error('busy'), { overloaded: true }), /OUTBOX_SHARDS/],
])(
  'an outbox that does not answer is reported the second time, because once may be a deploy',
  async (fault, message) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { env } = fakeBindings({ outboxes: { '1/0': fault } });
    const relay = createRelay();
    const request = async () => {
      const answer = await relay.fetch(new Request('http://127.0.0.1/health'), env, createExecutionContext());
      return answer.text();
    };

    expect(await request()).toContain('ok');
    vi.advanceTimersByTime(6_000);
    const health = await request();
    vi.useRealTimers();

    expect(health).toMatch(message);
  },
);

test('an answer is reused for five seconds, without asking the objects each time', async () => {
  const { env, calls } = fakeBindings({ outboxes: { '1/0': {} } });
  const relay = createRelay();
  const request = () => relay.fetch(new Request('http://127.0.0.1/health'), env, createExecutionContext());

  await request();
  await request();

  expect(calls).toEqual(['1/0']);
});

test('two simultaneous requests before the first answer both report the trouble', async () => {
  const { env } = fakeBindings(waitsAndTook(MINUTE, MINUTE));
  const relay = createRelay();
  const strict = { ...env, HEALTH_STALE_MS: '30000' };
  const request = () => relay.fetch(new Request('http://127.0.0.1/health'), strict, createExecutionContext());

  const [one, other] = await Promise.all([request(), request()]);

  expect([one.status, other.status]).toEqual([503, 503]);
});

test('an object is asked again if the platform says so', async () => {
  const { env } = fakeBindings({});
  let calls = 0;
  const status = async () => {
    calls += 1;
    if (calls === 1) throw Object.assign(new Error('its code was updated'), { retryable: true });
    return { suspension: null, pausedUntil: null };
  };
  const gate = { status, outboxes: async () => [] };

  const health = await healthOf({ ...env, RATE_GATE: { getByName: () => gate } } as unknown as Env);

  expect(health.code).toBe(200);
  expect(calls).toBe(2);
});

describe('with real objects', () => {
  // A gate of the test's own knows these outboxes and no others.
  const real = async () => {
    const gate = `gate ${crypto.randomUUID()}`;
    const name = `1/0 ${crypto.randomUUID()}`;
    const RATE_GATE = { getByName: () => relayEnv.RATE_GATE.getByName(gate) } as unknown as Env['RATE_GATE'];
    const OUTBOX = {
      getByName: (calls: string) => relayEnv.OUTBOX.getByName(calls === '1/0' ? name : calls),
    } as Env['OUTBOX'];
    const stub = relayEnv.OUTBOX.getByName(name);
    await relayEnv.RATE_GATE.getByName(gate).enrolOutbox('1/0');
    return { env: { ...relayEnv, RATE_GATE, OUTBOX }, stub };
  };

  test('a new relay answers 200, and asking creates no outbox', async () => {
    const { env } = await real();

    expect((await healthOf(env)).code).toBe(200);
    const probe = relayEnv.OUTBOX.getByName('probe');
    const tables = await runInDurableObject(probe, (_, { storage: { sql } }) =>
      sql
        .exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '!_cf%' ESCAPE '!'")
        .toArray(),
    );
    expect(tables).toEqual([]);
  });

  test('records that have waited for six minutes are stale, and accepted ones are 200', async () => {
    const { env, stub } = await real();
    await ingestAt(stub, delivery('a', eventRecord(1)), ago(6 * MINUTE));

    expect(await healthOf(env)).toMatchObject({ code: 503, status: 'stale' });
    await passAt(stub, scriptedUpstream(), Date.now());
    expect((await healthOf(env)).code).toBe(200);
  });

  test('an outbox without room is full', async () => {
    const { env, stub } = await real();
    // As many as it may hold by default.
    await runInDurableObject(stub, (_, { storage }) =>
      count(storage.sql, { entered: 18_000_000 }, Date.now()),
    );

    expect(await healthOf(env)).toMatchObject({ code: 503, status: 'full' });
  });
});
