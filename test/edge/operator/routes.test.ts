import { createExecutionContext, runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Env } from '../../../src/edge/durable-objects/env.ts';
import { gateOf } from '../../../src/edge/durable-objects/rate-gate.ts';
import type { RelayStatus, TestedAlerts } from '../../../src/edge/operator/relay-status.ts';
import { createRelay } from '../../../src/edge/worker.ts';
import { delivery, ingestAt, passAt, relayEnv, rulingUpstream } from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const relay = createRelay();
let env: Env;
let names: readonly string[];

type ListedDeadLetter = { readonly id: string; readonly record: { readonly id: string } };
type Page = { readonly deadLetters: readonly ListedDeadLetter[]; readonly next: string | null };

/** Two outboxes of this test alone, under the names that the relay knows. */
beforeEach(async () => {
  names = [0, 1].map((index) => `2/${index}`);
  const run = crypto.randomUUID();
  env = {
    ...relayEnv,
    OUTBOX_SHARDS: '2',
    WEBENGAGE_LICENSE_CODE: `~${run}`,
    OUTBOX: { getByName: (name: string) => relayEnv.OUTBOX.getByName(`${run} ${name}`) } as Env['OUTBOX'],
  };
  for (const name of names) await gateOf(env).enrolOutbox(name);
});

async function withDeadLetters(index: number, ...seqs: number[]): Promise<void> {
  const stub = env.OUTBOX.getByName(names[index] ?? '');
  await ingestAt(stub, delivery('a', ...seqs.map((seq) => eventRecord(seq))), NOW);
  await passAt(
    stub,
    rulingUpstream(() => 400),
    NOW + 1_000,
  );
}

function request(path: string, body?: unknown, token = relayEnv.ADMIN_TOKEN): Promise<Response> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const call = new Request(`http://127.0.0.1:8787/admin${path}`, {
    ...init,
    headers: { Authorization: `Bearer ${token}` },
  });
  return Promise.resolve(relay.fetch(call, env, createExecutionContext()));
}

const pageOf = async (query = ''): Promise<Page> => (await request(`/dead-letters${query}`)).json();
const recordIds = ({ deadLetters }: Page) => deadLetters.map(({ record }) => record.id);

test.each(['/status', '/dead-letters', '/dead-letters.ndjson'])(
  '%s does not exist for anyone else',
  async (path) => {
    expect((await request(path, undefined, 'a-token-that-is-not-the-operators-own')).status).toBe(404);
  },
);

test.each(['/dead-letters/replay', '/dead-letters/discard'])(
  '%s does nothing for anyone else',
  async (path) => {
    await withDeadLetters(0, 1);

    expect((await request(path, { all: true }, 'a-token-that-is-not-the-operators-own')).status).toBe(404);
    expect((await pageOf()).deadLetters).toHaveLength(1);
  },
);

describe('the status', () => {
  test('adds up all outboxes and names those that do not answer', async () => {
    await ingestAt(env.OUTBOX.getByName('2/0'), delivery('a', eventRecord(1), eventRecord(2)), NOW);
    await withDeadLetters(1, 1, 2, 3);

    const status = await (await request('/status')).json();
    expect(status).toMatchObject({
      version: '0.1.0',
      backlog: { records: 2, maxRecords: 18_000_000, drainMs: null },
      deadLetters: 3,
      gate: { requestsPerMinute: 500, pausedUntil: null, suspension: null, key: 'primary' },
      totals: { accepted: 5, dead_letter: 3, delivered: 0 },
      shards: [
        { name: '2/0', records: 2, unreachable: false },
        { name: '2/1', deadLetters: 3, unreachable: false },
      ],
    });

    const { getByName } = env.OUTBOX;
    env = {
      ...env,
      OUTBOX: {
        getByName: (name: string) =>
          name === '2/1' ? { status: () => Promise.reject(new Error('gone')) } : getByName(name),
      } as unknown as Env['OUTBOX'],
    };
    expect(await (await request('/status')).json()).toMatchObject({
      backlog: { records: 2 },
      shards: [{ unreachable: false }, { name: '2/1', unreachable: true }],
    });
  });
});

test('the status has the records of bots, and the calls that they cost or would have cost', async () => {
  await relayEnv.RATE_GATE.getByName('account').addCounts('bots', {
    user_agent: 26,
    webdriver: 4,
    refused: 20,
  });

  const { bots } = await (await request('/status')).json<RelayStatus>();

  const counted = {
    records: 30,
    refused: 20,
    calls: 2,
    bySign: { user_agent: 26, webdriver: 4, cloudflare: 0 },
  };
  expect(bots).toEqual({ mode: 'count', lastHour: counted, total: counted });
});

describe('alerts', () => {
  const messages: {
    readonly url: string;
    readonly body: { readonly alert: string; readonly state: string };
  }[] = [];

  function answering(...statuses: readonly number[]): void {
    const left = [...statuses];
    messages.length = 0;
    vi.stubGlobal('fetch', async (call: Request) => {
      messages.push({ url: call.url, body: await call.json() });
      return new Response('', { status: left.shift() ?? 200 });
    });
  }

  beforeEach(() => {
    const gate = `gate ${crypto.randomUUID()}`;
    const RATE_GATE = { getByName: () => relayEnv.RATE_GATE.getByName(gate) } as unknown as Env['RATE_GATE'];
    const ALERT_WEBHOOK = 'https://ops.example.com/secret-path,https://hooks.slack.com/services/secret-too';
    env = { ...env, RATE_GATE, ALERT_WEBHOOK };
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test('are in the status with their words and the outcome of the last message', async () => {
    answering(500);
    await gateOf(env).misconfigured(401, { key: 'primary', kind: 'event', before: undefined });
    await relay.scheduled({ scheduledTime: 0 }, env);

    const { alerts } = await (await request('/status')).json<RelayStatus>();
    expect(alerts).toEqual({
      active: [
        {
          alert: 'suspended',
          since: expect.any(Number),
          severity: 'critical',
          title: 'Deliveries are suspended',
          what: expect.stringContaining('401'),
          why: expect.any(String),
          remedy: expect.stringContaining('WEBENGAGE_API_KEY'),
          link: `${alerts.runbooks}#suspended`,
        },
      ],
      destinations: expect.arrayContaining([
        { form: 'json', waiting: expect.any(Number), last: expect.anything() },
        { form: 'slack', waiting: expect.any(Number), last: expect.anything() },
      ]),
      runbooks: expect.stringMatching(/docs\/guides\/runbooks\.md$/),
    });
    expect(alerts.destinations.map(({ last }) => last?.status).toSorted()).toEqual([200, 500]);
    expect(JSON.stringify(alerts)).not.toMatch(/secret-|ops\.example/);
  });

  test('can be tested: each destination gets a begin and an end, and the answer has no address', async () => {
    answering();

    const answer = await request('/alerts/test', {});

    expect(await answer.json()).toEqual({
      sent: [
        { form: 'json', delivered: true, status: 200 },
        { form: 'slack', delivered: true, status: 200 },
      ],
    });
    const toOurs = messages.filter(({ url }) => url.startsWith('https://ops.'));
    expect(toOurs.map(({ body }) => `${body.alert} ${body.state}`)).toEqual(['test begins', 'test ends']);
    expect((await (await request('/status')).json<RelayStatus>()).alerts.active).toEqual([]);
  });

  test('can be tested with a receiver that fails, and the answer says how', async () => {
    answering(403, 500);

    const { sent } = await (await request('/alerts/test', {})).json<TestedAlerts>();

    expect(sent.map(({ delivered }) => delivered)).toEqual([false, false]);
    expect(sent.map(({ status }) => status).toSorted()).toEqual([403, 500]);
  });

  test('can’t be tested without a receiver, or by anyone else', async () => {
    answering();
    const other = await request('/alerts/test', {}, 'a-token-that-is-not-the-operators-own');
    env = { ...env, ALERT_WEBHOOK: '' };
    const unset = await request('/alerts/test', {});

    expect(other.status).toBe(404);
    expect(unset.status).toBe(400);
    expect(await unset.text()).toContain('ALERT_WEBHOOK');
    expect(messages).toEqual([]);
  });
});

describe('dead letters', () => {
  test('are read in pages, over all outboxes', async () => {
    await withDeadLetters(0, 1, 2, 3);
    await withDeadLetters(1, 4, 5);

    const first = await pageOf('?limit=4');
    const second = await pageOf(`?limit=4&after=${first.next}`);

    expect(recordIds(first)).toEqual([idOf(1), idOf(2), idOf(3), idOf(4)]);
    expect(recordIds(second)).toEqual([idOf(5)]);
    expect(second.next).toBeNull();
    expect(first.deadLetters[0]).toMatchObject({
      id: '2/0:1',
      device: 'a',
      kind: 'event',
      status: 400,
      words: 'Error: as the rule says.',
      acceptedAt: NOW,
      givenUpAt: NOW + 1_000,
      attempts: 3,
    });
  });

  test('are exported completely, one per line', async () => {
    await withDeadLetters(0, ...Array.from({ length: 25 }, (_, n) => n + 1));
    await withDeadLetters(1, 26);

    const answer = await request('/dead-letters.ndjson');
    const lines = (await answer.text()).trimEnd().split('\n');

    expect(answer.headers.get('Content-Type')).toBe('application/x-ndjson');
    expect(lines.map((line) => JSON.parse(line).record.id)).toEqual(
      Array.from({ length: 26 }, (_, n) => idOf(n + 1)),
    );
  });

  test('are exported and replayed completely even if they fill more than a page', async () => {
    await withDeadLetters(0, ...Array.from({ length: 501 }, (_, n) => n + 1));

    const lines = (await (await request('/dead-letters.ndjson')).text()).trimEnd().split('\n');

    expect(new Set(lines.map((line) => JSON.parse(line).record.id)).size).toBe(501);
    expect(await (await request('/dead-letters/discard', { all: true })).json()).toEqual({ discarded: 501 });
  });

  test('all of them are those until now, so one that comes back meanwhile is not replayed again', async () => {
    const stub = env.OUTBOX.getByName('2/0');
    const later = Date.now() + 60_000;
    await ingestAt(stub, delivery('a', eventRecord(1)), later);
    await passAt(
      stub,
      rulingUpstream(() => 400),
      later + 1_000,
    );

    expect(await (await request('/dead-letters/replay', { all: true })).json()).toEqual({ replayed: 0 });
  });

  test('may be absent: an empty list and an empty file', async () => {
    expect(await pageOf()).toEqual({ deadLetters: [], next: null });
    expect(await (await request('/dead-letters.ndjson')).text()).toBe('');
  });

  test('are replayed: one, some, all', async () => {
    await withDeadLetters(0, 1, 2, 3);
    await withDeadLetters(1, 4, 5);

    expect(await (await request('/dead-letters/replay', { ids: ['2/0:2'] })).json()).toEqual({ replayed: 1 });
    expect(recordIds(await pageOf())).toEqual([1, 3, 4, 5].map((n) => idOf(n)));
    expect(
      await (await request('/dead-letters/replay', { ids: ['2/0:1', '2/1:1', '2/1:99'] })).json(),
    ).toEqual({
      replayed: 2,
    });
    expect(await (await request('/dead-letters/replay', { all: true })).json()).toEqual({ replayed: 2 });
    expect(await pageOf()).toMatchObject({ deadLetters: [] });
    expect(await (await request('/status')).json()).toMatchObject({
      backlog: { records: 5 },
      totals: { accepted: 5 },
    });

    for (const name of names)
      await runInDurableObject(env.OUTBOX.getByName(name), (_, { storage }) => storage.deleteAlarm());
  });

  test('are discarded', async () => {
    await withDeadLetters(0, 1, 2);
    await withDeadLetters(1, 3);

    expect(await (await request('/dead-letters/discard', { ids: ['2/1:1'] })).json()).toEqual({
      discarded: 1,
    });
    expect(await (await request('/dead-letters/discard', { all: true })).json()).toEqual({ discarded: 2 });
    expect(await (await request('/status')).json()).toMatchObject({
      deadLetters: 0,
      totals: { discarded: 3 },
    });
  });

  test.each([
    ['nothing', {}],
    ['`all` other than true', { all: false }],
    ['both', { all: true, ids: [] }],
    ['a malformed id', { ids: ['1; DROP TABLE dead'] }],
    ['too many ids', { ids: Array(501).fill('2/0:1') }],
    ['in another format', 'all'],
  ])('are not touched if the body selects %s', async (_, body) => {
    await withDeadLetters(0, 1);

    const answer = await request('/dead-letters/discard', body);

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: 'invalid_request' } });
    expect((await pageOf()).deadLetters).toHaveLength(1);
  });

  test.each(['?limit=0', '?limit=501', '?limit=many', '?after=17'])('%s is refused', async (query) => {
    expect((await request(`/dead-letters${query}`)).status).toBe(400);
  });
});
