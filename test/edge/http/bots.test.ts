import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Answer } from '../../../src/contract/answer.ts';
import type { Delivery } from '../../../src/edge/queue/ingest.ts';
import { createRelay, type Env } from '../../../src/edge/worker.ts';
import { relayEnv } from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';
import { everythingIn, loggedLines } from '../logs-and-storage.ts';
import { batchOf, newSession, SERVER_TOKEN, SHOP } from '../requests.ts';

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';
const GOOGLEBOT = `${CHROME} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`;

const VISITOR = { userAgent: CHROME };

type Sent = {
  readonly userAgent?: string;
  readonly cf?: CfProperties;
  /** Of a page, unless it is a server's. */
  readonly sender?: Readonly<Record<string, string>>;
};

/** A relay with a gate of its own, and an outbox that stores everything. */
function relayWith(env: Partial<Env> = {}) {
  const relay = createRelay();
  const gate = relayEnv.RATE_GATE.getByName(crypto.randomUUID());
  const asked = vi.fn(() => gate);
  const deliveries: Delivery[] = [];
  const ingest = async (_: string, delivery: Delivery) => {
    deliveries.push(delivery);
    return { stored: true, accepted: recordsOf(delivery), duplicates: 0 };
  };
  const ports = { RATE_GATE: { getByName: asked }, OUTBOX: { getByName: () => ({ ingest }) } };
  const settings = { ...relayEnv, SERVER_TOKEN, ...(ports as unknown as Partial<Env>), ...env };

  async function post(batch: object, { userAgent = '', cf, sender = { Origin: SHOP } }: Sent = {}) {
    const context = createExecutionContext();
    const call = new Request('http://127.0.0.1:8787/v1/batch', {
      method: 'POST',
      body: JSON.stringify(batch),
      headers: { 'Content-Type': 'text/plain', 'User-Agent': userAgent, ...sender },
      ...(cf && { cf }),
    });
    const answer = await relay.fetch(call, settings, context);
    await waitOnExecutionContext(context);
    return answer;
  }
  const counts = async () => (await gate.counts('bots')).total;
  return { post, counts, asked, deliveries, gate };
}

const recordsOf = ({ runs }: Delivery) => runs.reduce((sum, { ids }) => sum + ids.length, 0);

const batchOfTwo = () => {
  const session = newSession();
  return batchOf(eventRecord(1, { id: idOf(1, session) }), eventRecord(2, { id: idOf(2, session) }));
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each<[name: string, sign: string, envelope: object, sent: Sent]>([
  ['its user agent', 'user_agent', {}, { userAgent: GOOGLEBOT }],
  ['navigator.webdriver', 'webdriver', { bot: true }, VISITOR],
  [
    'Cloudflare’s Bot Management',
    'cloudflare',
    {},
    { ...VISITOR, cf: { botManagement: { verifiedBot: true, score: 99 } } },
  ],
  [
    'Cloudflare’s categories',
    'cloudflare',
    {},
    { ...VISITOR, cf: { verifiedBotCategory: 'Search Engine Crawler' } },
  ],
])('a bot that is known by %s', (_, sign, envelope, sent) => {
  test('is counted by default, and its records are stored like all others', async () => {
    const logged = vi.spyOn(console, 'log').mockImplementation(() => {});
    const { post, counts, deliveries } = relayWith();
    const batch = { ...batchOfTwo(), ...envelope };

    const answer = await post(batch, sent);

    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ accepted: 2, rejected: [] });
    expect(deliveries.map(recordsOf)).toEqual([2]);
    expect(await counts()).toEqual({ [sign]: 2 });
    expect(logged.mock.calls).toEqual([[JSON.stringify({ event: 'bots', [sign]: 2 })]]);
  });

  test('is refused if BOTS is refuse: each record is settled, and no outbox is called', async () => {
    const logged = vi.spyOn(console, 'log').mockImplementation(() => {});
    const { post, counts, deliveries } = relayWith({ BOTS: 'refuse' });
    const batch = { ...batchOfTwo(), ...envelope };

    const answer = await post(batch, sent);

    const issues = [{ path: '', message: 'comes from a bot, and BOTS is refuse' }];
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({
      response: { status: 'queued' },
      accepted: 0,
      duplicates: 0,
      rejected: batch.records.map((record) => ({ id: (record as { id: string }).id, issues })),
      repaired: [],
      now: expect.any(Number),
    });
    expect(deliveries).toEqual([]);
    expect(await counts()).toEqual({ [sign]: 2, refused: 2 });
    expect(logged.mock.calls).toEqual([[JSON.stringify({ event: 'bots', [sign]: 2, refused: 2 })]]);
  });

  test('is nobody special if BOTS is off', async () => {
    const logged = vi.spyOn(console, 'log').mockImplementation(() => {});
    const { post, asked, deliveries } = relayWith({ BOTS: 'off' });

    const answer = await post({ ...batchOfTwo(), ...envelope }, sent);

    expect(await answer.json()).toMatchObject({ accepted: 2, rejected: [] });
    expect(deliveries).toHaveLength(1);
    expect(asked).not.toHaveBeenCalled();
    expect(logged).not.toHaveBeenCalled();
  });
});

test.each(['off', 'count', 'refuse'])(
  'a visitor’s records are stored and not counted if BOTS is %s',
  async (BOTS) => {
    const { post, asked, deliveries } = relayWith({ BOTS });

    for (const sent of [
      VISITOR,
      {},
      { userAgent: 'Kelvin/1.2 (Fridge; CoolOS 3.1) like Gecko', cf: { colo: 'FRA' } },
    ])
      await post({ ...batchOf(), bot: false }, sent);

    expect(deliveries).toHaveLength(3);
    expect(asked).not.toHaveBeenCalled();
  },
);

test('your servers are no bots, whatever they send', async () => {
  const { post, asked, deliveries } = relayWith({ BOTS: 'refuse' });
  const asServer: Sent = {
    userAgent: 'python-requests/2.32.5',
    cf: { verifiedBotCategory: 'Webhooks' },
    sender: { Authorization: `Bearer ${SERVER_TOKEN}` },
  };

  for (const bot of [true, 'yes', undefined]) {
    const answer = await post({ ...batchOf(), bot }, asServer);
    expect(answer.status).toBe(202);
    expect(await answer.json<Answer>()).toMatchObject({ accepted: 1, rejected: [] });
  }

  expect(deliveries).toHaveLength(3);
  expect(asked).not.toHaveBeenCalled();
});

test('a page’s bot must be true or false', async () => {
  const { post } = relayWith();

  const answer = await post({ ...batchOf(), bot: 'yes' }, VISITOR);

  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: { code: 'invalid_batch', message: 'bot must be true or false' },
  });
});

test('a record that was stored before is not counted again', async () => {
  const ingest = async () => ({ stored: true, accepted: 0, duplicates: 1 });
  const { post, asked } = relayWith({
    OUTBOX: { getByName: () => ({ ingest }) } as unknown as Env['OUTBOX'],
  });

  await post(batchOf(), { userAgent: GOOGLEBOT });

  expect(asked).not.toHaveBeenCalled();
});

test('records without a usable id are refused by their places', async () => {
  const { post } = relayWith({ BOTS: 'refuse' });

  const answer = await post(batchOf(null, { id: 17 }, { id: 'x'.repeat(200) }), { userAgent: GOOGLEBOT });

  const { rejected } = await answer.json<Answer>();
  expect(rejected.map(({ id }) => id)).toEqual(['records[0]', 'records[1]', 'x'.repeat(100)]);
});

test('a storm of refused bots costs one call to the gate and one line a minute', async () => {
  const logged = vi.spyOn(console, 'log').mockImplementation(() => {});
  const { post, asked, counts } = relayWith({ BOTS: 'refuse' });

  for (let sent = 0; sent < 50; sent++) await post(batchOf(), { userAgent: GOOGLEBOT });
  const calls = asked.mock.calls.length;
  const later = Date.now() + 61_000;
  vi.spyOn(Date, 'now').mockReturnValue(later);
  // Any page's batch brings the rest along.
  await post(batchOf(), VISITOR);

  expect(calls).toBe(1);
  expect(asked).toHaveBeenCalledTimes(2);
  expect(logged).toHaveBeenCalledTimes(2);
  expect(await counts()).toEqual({ user_agent: 50, refused: 50 });
});

test('a gate that does not answer costs the count, and no record', async () => {
  const lines = loggedLines();
  const getByName = () => ({ addCounts: () => Promise.reject(new Error('gone')) });
  const { post, deliveries } = relayWith({ RATE_GATE: { getByName } as unknown as Env['RATE_GATE'] });

  const answer = await post(batchOf(), { userAgent: GOOGLEBOT });

  expect(await answer.json()).toMatchObject({ accepted: 1 });
  expect(deliveries).toHaveLength(1);
  expect(lines()).toContain('count_failed');
});

test('nothing of a user agent is logged or stored', async () => {
  const lines = loggedLines();
  for (const BOTS of ['count', 'refuse']) {
    const { post, gate } = relayWith({ BOTS });

    await post(batchOf(), { userAgent: `${GOOGLEBOT} canary`, cf: { verifiedBotCategory: 'canary' } });

    expect(await everythingIn(gate)).not.toMatch(/canary|mozilla/i);
  }
  expect(lines()).toContain('bots');
  expect(lines()).not.toMatch(/canary|mozilla/i);
});
