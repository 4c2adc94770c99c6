import { createExecutionContext, evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TrackerRecord } from '../../../src/contract/record.ts';
import type { Env } from '../../../src/edge/durable-objects/env.ts';
import { gateOf } from '../../../src/edge/durable-objects/rate-gate.ts';
import type { ErasureReceipt } from '../../../src/edge/operator/erasure-receipt.ts';
import { createRelay } from '../../../src/edge/worker.ts';
import { answerOf, delivery, ingestAt, passAt, relayEnv, rulingUpstream } from '../../fakes/outbox.ts';
import { eventRecord, idOf, userRecord } from '../../fakes/records.ts';
import { everythingIn, loggedLines } from '../logs-and-storage.ts';
import { batchOf, newSession, SHOP } from '../requests.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const DAY_MS = 24 * 60 * 60 * 1000;
const JOHN = 'john-to-be-erased';
const relay = createRelay();
let env: Env;

const NAMES = ['2/0', '2/1', '1/0'];

/** Outboxes of this test alone, under the names that the relay knows: two of now, and one of before. */
beforeEach(async () => {
  const run = crypto.randomUUID();
  env = {
    ...relayEnv,
    OUTBOX_SHARDS: '2',
    OUTBOX: { getByName: (name: string) => relayEnv.OUTBOX.getByName(`${run} ${name}`) } as Env['OUTBOX'],
  };
  await gateOf(env).enrolOutbox('1/0');
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const outbox = (name: string) => env.OUTBOX.getByName(name);
const store = (name: string, device: string, ...records: TrackerRecord[]) =>
  ingestAt(outbox(name), delivery(device, ...records), NOW);

function request(body: unknown, headers: Readonly<Record<string, string>> = {}, more: Partial<Env> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const call = new Request('http://127.0.0.1:8787/admin/erase', {
    method: 'POST',
    body: text,
    headers: { Authorization: `Bearer ${relayEnv.ADMIN_TOKEN}`, ...headers },
  });
  return Promise.resolve(relay.fetch(call, { ...env, ...more }, createExecutionContext()));
}

async function receiptOf(body: object, more: Partial<Env> = {}): Promise<ErasureReceipt> {
  const response = await request(body, {}, more);
  expect(response.status).toBe(200);
  return response.json();
}

const erased = (fields: object = {}) => ({ waiting: 0, deadLetters: 0, violations: 0, ...fields });

async function post(...records: readonly object[]) {
  const call = new Request('http://127.0.0.1:8787/v1/batch', {
    method: 'POST',
    body: JSON.stringify(batchOf(...records)),
    headers: { Origin: SHOP, 'Content-Type': 'text/plain;charset=UTF-8' },
  });
  const response = await relay.fetch(call, env, createExecutionContext());
  for (const name of NAMES) await runInDurableObject(outbox(name), (_, { storage }) => storage.deleteAlarm());
  return { status: response.status, answer: await response.json<Record<string, unknown>>() };
}

const poison = (seq: number, fields: object) => eventRecord(seq, { eventName: 'Poison', ...fields });
const refusing = () =>
  rulingUpstream(({ records }) => (records.some(({ eventName }) => eventName === 'Poison') ? 400 : 200));

test('it does not exist for anyone else, and does nothing then', async () => {
  await store('2/0', 'a', eventRecord(1, { userId: JOHN }));

  const response = await request(
    { userId: JOHN },
    { Authorization: 'Bearer a-token-of-somebody-else-altogether' },
  );

  expect(response.status).toBe(404);
  expect(await outbox('2/0').status()).toMatchObject({ records: 1 });
});

test('a person is removed from every outbox, also of an earlier number of shards, and nobody else is', async () => {
  await store('2/0', 'a', poison(1, { userId: JOHN }), poison(2, { userId: 'ada' }));
  await passAt(outbox('2/0'), refusing(), NOW + 1_000);
  await store('2/0', 'a', eventRecord(3, { userId: JOHN }), eventRecord(4, { userId: 'ada' }));
  await store('1/0', 'b', userRecord(1, { userId: JOHN }), userRecord(2, { userId: `${JOHN}2` }));
  await store('2/1', 'c', eventRecord(1, { userId: 'ada', eventData: { Friend: 'bob' } }));
  const logged = loggedLines();

  const receipt = await receiptOf({ userId: JOHN });

  expect(receipt).toEqual({
    complete: true,
    erased: erased({ waiting: 2, deadLetters: 1 }),
    inFlight: 0,
    suppressedUntil: expect.any(Number),
    outboxes: 3,
    unanswered: [],
    upstream: null,
  });
  expect((receipt.suppressedUntil ?? 0) - Date.now()).toBeGreaterThan(7.9 * DAY_MS);
  for (const name of NAMES) expect(await everythingIn(outbox(name))).not.toContain(`${JOHN}\\"`);
  expect(await everythingIn(outbox('1/0'))).toContain(`${JOHN}2`);
  expect(await outbox('2/0').status()).toMatchObject({
    records: 1,
    deadLetters: 1,
    totals: { erased: 1, discarded: 1 },
  });
  expect(logged()).toContain('erasure');
  expect(logged() + JSON.stringify(receipt)).not.toContain(JOHN);
  // A repeat finds nothing, and does no harm.
  expect(await receiptOf({ userId: JOHN })).toMatchObject({ complete: true, erased: erased() });
  expect(await outbox('2/0').status()).toMatchObject({ records: 1, deadLetters: 1 });
});

test('an id of one kind is not the same id of the other, and a record with both belongs to both', async () => {
  await store(
    '2/0',
    'a',
    eventRecord(1, { userId: 'x' }),
    { ...eventRecord(2), userId: undefined, anonymousId: 'x' } as TrackerRecord,
    eventRecord(3, { userId: 'ada', anonymousId: 'x' }),
  );

  expect(await receiptOf({ anonymousId: 'x' })).toMatchObject({ erased: erased({ waiting: 2 }) });
  const upstream = refusing();
  await passAt(outbox('2/0'), upstream, NOW + 2_000);

  expect(upstream.calls.flatMap(({ records }) => records.map(({ id }) => id))).toEqual([idOf(1)]);
});

test('a violation of the tracking plan that is named after the person is counted without the name', async () => {
  const known = {
    rule: 'is not in the tracking plan',
    of: 'Clicked',
    path: 'eventData.Price',
    ids: [idOf(1)],
  };
  const violations = { kinds: [known, { ...known, path: `eventData.${JOHN}` }], others: 0 };
  await outbox('2/0').ingest('2/0', { ...delivery('a', eventRecord(1, { userId: 'ada' })), violations });
  await runInDurableObject(outbox('2/0'), (_, { storage }) => storage.deleteAlarm());

  const receipt = await receiptOf({ userId: JOHN });

  expect(receipt.erased).toEqual(erased({ violations: 1 }));
  const { violations: left } = await outbox('2/0').status();
  expect(left).toMatchObject({ kinds: [{ path: 'eventData.Price', count: 1 }], others: 1 });
  expect(await everythingIn(outbox('2/0'))).not.toContain(JOHN);
});

describe('a call that may have reached WebEngage', () => {
  const both = () => [eventRecord(1, { userId: JOHN }), eventRecord(2, { userId: 'ada' })] as const;

  test('is repeated unchanged, and reported until its outcome is known', async () => {
    await store('2/0', 'a', ...both());
    const failing = rulingUpstream(() => 503);
    await passAt(outbox('2/0'), failing, NOW + 1_000);

    expect(await receiptOf({ userId: JOHN })).toMatchObject({
      complete: true,
      erased: erased(),
      inFlight: 1,
    });
    await evictDurableObject(outbox('2/0'));
    expect(await receiptOf({ userId: JOHN })).toMatchObject({ inFlight: 1 });
    const taking = rulingUpstream(() => 200);
    await passAt(outbox('2/0'), taking, NOW + 120_000);

    expect(taking.calls).toEqual(failing.calls);
    expect(await receiptOf({ userId: JOHN })).toMatchObject({ erased: erased(), inFlight: 0 });
    expect(await everythingIn(outbox('2/0'))).not.toContain(JOHN);
  });

  test.each([
    [400, 'becomes a dead letter or is halved'],
    [413, 'is split'],
  ])('loses the person before it %s: %s', async (status) => {
    await store('2/0', 'a', ...both(), eventRecord(3, { userId: JOHN }));
    await passAt(
      outbox('2/0'),
      rulingUpstream(() => 503),
      NOW + 1_000,
    );
    await receiptOf({ userId: JOHN });

    const ending = rulingUpstream(({ records }) => (records.length > 1 ? status : 200));
    await passAt(outbox('2/0'), ending, NOW + 120_000);

    const [, ...after] = ending.calls;
    expect(after.flatMap(({ records }) => records.map(({ userId }) => userId))).toEqual(['ada']);
    expect(await everythingIn(outbox('2/0'))).not.toContain(JOHN);
    expect(await outbox('2/0').status()).toMatchObject({
      records: 0,
      deadLetters: 0,
      totals: { entered: 3, delivered: 1, erased: 2 },
    });
  });

  test('with nobody else in it is refused, and leaves nothing', async () => {
    await store('2/0', 'a', poison(1, { userId: JOHN }));
    await passAt(
      outbox('2/0'),
      rulingUpstream(() => 503),
      NOW + 1_000,
    );
    await receiptOf({ userId: JOHN });

    await passAt(outbox('2/0'), refusing(), NOW + 120_000);

    expect(await outbox('2/0').status()).toMatchObject({
      records: 0,
      deadLetters: 0,
      totals: { erased: 1, dead_letter: 0, refused: 1 },
    });
  });

  test('keeps its own records when it is refused after earlier ones of its run were erased', async () => {
    const ofAda = Array.from({ length: 26 }, (_, n) => eventRecord(n + 2, { userId: 'ada' }));
    await store('2/0', 'a', eventRecord(1, { userId: JOHN }), ...ofAda);
    const taken: string[] = [];
    await passAt(
      outbox('2/0'),
      {
        calls: [],
        answer: async ({ records }) => {
          if (records.length === 2) {
            await receiptOf({ userId: JOHN });
            return answerOf(400);
          }
          taken.push(...records.map(({ id }) => id));
          return answerOf(200);
        },
      },
      NOW + 1_000,
    );

    expect(taken).toEqual([idOf(1), ...ofAda.map(({ id }) => id)]);
  });

  test('that is in flight at that moment is not changed', async () => {
    await store('2/0', 'a', eventRecord(1, { userId: JOHN }), eventRecord(2, { userId: 'ada' }));
    let receipt: ErasureReceipt | undefined;
    const sent: string[] = [];
    await passAt(
      outbox('2/0'),
      {
        calls: [],
        answer: async ({ records }) => {
          sent.push(...records.map(({ id }) => id));
          receipt = await receiptOf({ userId: JOHN });
          return answerOf(200);
        },
      },
      NOW + 1_000,
    );

    expect(receipt).toMatchObject({ inFlight: 1, erased: erased() });
    expect(sent).toEqual([idOf(1), idOf(2)]);
    expect(await outbox('2/0').status()).toMatchObject({ records: 0, totals: { delivered: 2, erased: 0 } });
  });
});

describe('a record that a browser brings back', () => {
  const own = (seq: number, session: string, fields: object = {}) =>
    eventRecord(seq, { id: idOf(seq, session), userId: JOHN, ...fields });

  test('is rejected with the reason, alone, so that the browser removes it', async () => {
    await receiptOf({ userId: JOHN });
    const session = newSession();

    const { status, answer } = await post(
      own(1, session),
      own(2, session, { userId: 'ada' }),
      own(3, session),
    );

    expect(status).toBe(202);
    expect(answer).toMatchObject({ accepted: 1, duplicates: 0 });
    const issues = [{ path: '', message: expect.stringContaining('erased') }];
    expect(answer.rejected).toEqual([1, 3].map((seq) => ({ id: idOf(seq, session), issues })));
    for (const name of NAMES) {
      await evictDurableObject(outbox(name));
      expect(await everythingIn(outbox(name))).not.toContain(JOHN);
    }
    const statuses = await Promise.all(NAMES.map((name) => outbox(name).status()));
    const sum = (of: 'rejected' | 'entered') => statuses.reduce((all, { totals }) => all + totals[of], 0);
    expect([sum('rejected'), sum('entered')]).toEqual([2, 1]);
  });

  test('is refused by the outbox of any device, also after the outbox was evicted', async () => {
    await receiptOf({ userId: JOHN });
    for (const name of NAMES) await evictDurableObject(outbox(name));

    for (let browser = 0; browser < 6; browser++)
      expect((await post(own(1, newSession()))).answer).toMatchObject({ accepted: 0 });
  });

  test('is refused too if it waited for its commit while the person was erased', async () => {
    const ingestAs = (device: string, record: TrackerRecord) =>
      outbox('2/0').ingest('2/0', delivery(device, record));
    // The next flush waits, so that it shares a commit.
    await ingestAs('a', eventRecord(1, { userId: 'ada' }));
    const flushes = Array.from({ length: 20 }, (_, n) =>
      ingestAs(`b${n}`, eventRecord(1, { userId: JOHN, id: idOf(1, newSession()) })),
    );

    await receiptOf({ userId: JOHN });
    await Promise.all(flushes);

    expect(await everythingIn(outbox('2/0'))).not.toContain(JOHN);
    await runInDurableObject(outbox('2/0'), (_, { storage }) => storage.deleteAlarm());
  });

  test('is taken again once the mark is lifted', async () => {
    await receiptOf({ userId: JOHN });

    const lifted = await receiptOf({ userId: JOHN, lift: true });

    expect(lifted).toMatchObject({ complete: true, suppressedUntil: null, erased: erased() });
    expect((await post(own(1, newSession()))).answer).toMatchObject({ accepted: 1, rejected: [] });
  });

  test('an outbox remembers the person by a hash, with a key of its own, and is retired after eight days', async () => {
    await receiptOf({ userId: JOHN });
    const kept = await Promise.all(
      NAMES.map((name) =>
        runInDurableObject(outbox(name), (_, { storage: { sql, kv } }) => ({
          marks: sql.exec<{ mark: string }>('SELECT mark FROM suppressed').toArray(),
          key: kv.get<Uint8Array>('suppressionKey')?.join(),
        })),
      ),
    );

    expect(new Set(kept.map(({ key }) => key)).size).toBe(3);
    expect(new Set(kept.flatMap(({ marks }) => marks.map(({ mark }) => mark))).size).toBe(3);
    expect(await outbox('2/1').wake()).toBe(false);
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 8 * DAY_MS + 1);
    expect(await outbox('2/1').wake()).toBe(true);
    expect((await post(own(1, newSession()))).answer).toMatchObject({ accepted: 1 });
  });
});

test('an outbox that does not answer is named, and the same request completes it later', async () => {
  await store('2/0', 'a', eventRecord(1, { userId: JOHN }));
  await store('2/1', 'b', eventRecord(1, { userId: JOHN }));
  const { OUTBOX } = env;
  const silent = {
    getByName: (name: string) =>
      name === '2/1' ? { erase: () => Promise.reject(new Error(JOHN)) } : OUTBOX.getByName(name),
  } as unknown as Env['OUTBOX'];
  const asked = vi.fn();
  vi.stubGlobal('fetch', asked);
  const logged = loggedLines();

  const first = await receiptOf({ userId: JOHN, upstream: true }, { OUTBOX: silent });

  expect(first).toMatchObject({ complete: false, unanswered: ['2/1'], outboxes: 2, upstream: null });
  expect(first.erased).toEqual(erased({ waiting: 1 }));
  expect(asked).not.toHaveBeenCalled();
  expect(logged()).not.toContain(JOHN);
  expect(await receiptOf({ userId: JOHN })).toMatchObject({ complete: true, erased: erased({ waiting: 1 }) });
});

describe('WebEngage’s own request', () => {
  test('is filed once with the user’s id, and its id is reported', async () => {
    const calls: { url: string; body: unknown; headers: string[]; auth: string | null }[] = [];
    vi.stubGlobal('fetch', async (call: Request) => {
      const { url, headers } = call;
      calls.push({
        url,
        body: await call.json(),
        headers: [...headers.keys()].sort(),
        auth: headers.get('Authorization'),
      });
      return Response.json({}, { status: 201 });
    });

    const { complete, upstream } = await receiptOf({ userId: JOHN, upstream: true });

    expect({ complete, upstream }).toMatchObject({ complete: true, upstream: { filed: true, status: 201 } });
    expect(calls).toEqual([
      {
        url: 'http://127.0.0.1:9/v1/accounts/~test/opengdpr_requests',
        body: {
          subject_request_id: upstream?.id,
          subject_request_type: 'erasure',
          subject_identities: [{ identity_type: 'cuid', identity_value: JOHN }],
        },
        headers: ['authorization', 'content-type'],
        auth: `Bearer ${relayEnv.WEBENGAGE_API_KEY}`,
      },
    ]);
  });

  test.each([
    ['refused', async () => Response.json({}, { status: 403 }), 403],
    [
      'a redirect',
      async () => new Response(null, { status: 302, headers: { Location: 'https://x.example' } }),
      302,
    ],
    ['no answer', () => Promise.reject(new Error('no network')), 0],
  ])('that fails makes the receipt incomplete: %s', async (_, answer, status) => {
    vi.stubGlobal('fetch', answer);

    const receipt = await receiptOf({ userId: JOHN, upstream: true });

    expect(receipt).toMatchObject({ complete: false, unanswered: [], upstream: { filed: false, status } });
  });
});

test.each([
  '',
  '{',
  '{}',
  '[]',
  { userId: '' },
  { userId: 'x'.repeat(101) },
  { userId: 7 },
  { userId: 'secret-id', anonymousId: 'b' },
  { userId: 'secret-id', upstream: false },
  { userId: 'secret-id', upstream: true, lift: true },
  { anonymousId: 'secret-id', upstream: true },
  { userId: 'secret-id', all: true },
  'x'.repeat(5_000),
])('a wrong body erases nobody, and the answer does not repeat it: %j', async (body) => {
  const response = await request(body);

  expect(response.status).toBe(400);
  expect(await response.text()).not.toMatch(/secret-id|xxx/);
});
