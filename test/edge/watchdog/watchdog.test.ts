import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { AlertName } from '../../../src/edge/alerts/alert.ts';
import type { AlertReport, AlertState } from '../../../src/edge/alerts/run.ts';
import type { SendPorts } from '../../../src/edge/alerts/send.ts';
import type { Env } from '../../../src/edge/durable-objects/env.ts';
import { gateOf } from '../../../src/edge/durable-objects/rate-gate.ts';
import { count, readSettled } from '../../../src/edge/queue/counters/tally.ts';
import { watch } from '../../../src/edge/watchdog/watchdog.ts';
import { createRelay } from '../../../src/edge/worker.ts';
import { delivery, ingestAt, newOutbox, passAt, relayEnv, scriptedUpstream } from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';
import { everythingIn, loggedLines } from '../logs-and-storage.ts';

const MINUTE = 60_000;
const HOOK = 'https://ops.example.com/hook?token=very-secret';
const SECRET = 'an-alert-secret-of-enough-characters';

type Message = {
  readonly id: string;
  readonly alert: string;
  readonly state: string;
  readonly what: string;
  readonly remedy: string;
  readonly figures: object;
};
type Got = { readonly url: string; readonly headers: Headers; readonly message: Message };

/** A relay of this test alone: its own gate and one outbox, which is in use. */
let env: Env;
let outbox: ReturnType<typeof newOutbox>;
let got: Got[];
/** What the receiver answers, in this order, and 200 after that. */
let answers: (() => Response | Promise<Response>)[];

beforeEach(async () => {
  const gate = `gate ${crypto.randomUUID()}`;
  outbox = newOutbox();
  got = [];
  answers = [];
  env = {
    ...relayEnv,
    RATE_GATE: { getByName: () => relayEnv.RATE_GATE.getByName(gate) } as unknown as Env['RATE_GATE'],
    OUTBOX: { getByName: () => outbox } as unknown as Env['OUTBOX'],
    ALERT_WEBHOOK: HOOK,
    ALERT_SECRET: SECRET,
  };
  await gateOf(env).enrolOutbox('1/0');
  const earlier = Date.now() - 30 * MINUTE;
  await ingestAt(outbox, delivery('a', eventRecord(1)), earlier);
  await passAt(outbox, scriptedUpstream(), earlier + MINUTE);
});

const ports: SendPorts = {
  fetch: async (request) => {
    const { url, headers } = request;
    got.push({ url, headers, message: await request.json() });
    return (answers.shift() ?? (() => new Response('ok')))();
  },
  now: () => Date.now(),
  timeout: () => new AbortController().signal,
};

/** A run in a minute in which even the outboxes of a quiet relay are asked. */
const run = (changed: Partial<Env> = {}, scheduledAt = 0) =>
  watch({ ...env, ...changed }, { scheduledAt, isSetUp: true }, ports);

const told = () => got.map(({ message: { alert, state } }) => `${alert} ${state}`);
const report = (): Promise<AlertReport> => gateOf(env).alertReport();

/** Lets time pass for the alerts: everything that they remember has happened earlier. */
async function pass(ms: number): Promise<void> {
  await runInDurableObject(gateOf(env), (_, { storage: { kv } }) => {
    const before = kv.get<AlertState>('alerts');
    const earlier = JSON.stringify(before, (name, value) =>
      ['since', 'clearSince', 'at', 'nextAt'].includes(name) && typeof value === 'number'
        ? value - ms
        : value,
    );
    if (before !== undefined) kv.put('alerts', JSON.parse(earlier));
  });
}

/** Counts something in the outbox, as its passes do, some minutes ago. */
function counted(what: Parameters<typeof count>[1], minutesAgo = 0): Promise<void> {
  return runInDurableObject(outbox, (_, { storage: { sql } }) => {
    const settled = readSettled(sql);
    sql.exec('DELETE FROM minute');
    count(sql, what, Date.now() - minutesAgo * MINUTE, { settled });
  });
}

async function suspend(status = 401): Promise<void> {
  await gateOf(env).misconfigured(status, { key: 'primary', kind: 'event', before: undefined });
}

async function waitingSince(ms: number): Promise<void> {
  const record = eventRecord(1, { id: idOf(1, crypto.randomUUID().replaceAll('-', '').slice(0, 22)) });
  await ingestAt(outbox, delivery('b', record), Date.now() - ms);
}

async function refuseTokens(batches: number, minutesAgo = 0): Promise<void> {
  await runInDurableObject(gateOf(env), (_, { storage: { kv } }) =>
    kv.put('counts:tokens_refused', {
      total: { expired: batches },
      minutes: [{ at: Date.now() - minutesAgo * MINUTE - 1, counts: { expired: batches } }],
    }),
  );
}

const SILENT = {
  getByName: () => ({ watch: () => Promise.reject(new Error('gone')), probe: async () => {} }),
};

/** How to bring about each alert, and how to end it. */
const CAUSES: Readonly<
  Record<AlertName, readonly [begin: () => unknown, end: () => unknown, run?: Partial<Env>]>
> = {
  broken: [() => {}, () => {}, { WEBENGAGE_LICENSE_CODE: '' }],
  suspended: [() => suspend(), () => gateOf(env).taken('primary', 'event')],
  stale: [() => waitingSince(6 * MINUTE), () => passAt(outbox, scriptedUpstream(), Date.now())],
  full: [() => counted({ entered: 18_000_000 }), () => counted({})],
  silent: [
    () => run({ OUTBOX: SILENT as unknown as Env['OUTBOX'] }),
    () => {},
    { OUTBOX: SILENT as unknown as Env['OUTBOX'] },
  ],
  late: [() => waitingSince(16 * MINUTE), () => passAt(outbox, scriptedUpstream(), Date.now())],
  filling: [() => counted({ entered: 15_000_000 }), () => counted({})],
  dead_letters: [
    () => counted({ entered: 1, dead_letter: 1 }),
    () => counted({ dead_letter: 1, entered: 1 }, 6),
  ],
  tokens_refused: [() => refuseTokens(20), () => refuseTokens(20, 5)],
  doubles_possible: [() => counted({ unknown: 10 }), () => counted({ unknown: 10 }, 6)],
};

describe('an alert', () => {
  test.each(Object.keys(CAUSES) as AlertName[])(
    '%s is sent in the first run after it begins and once after it has ended, and never besides',
    async (alert) => {
      const [begin, end, faulty = {}] = CAUSES[alert];
      await run();
      expect(told()).toEqual([]);

      await begin();
      await run(faulty);
      await evictDurableObject(gateOf(env));
      await run(faulty);
      expect(told().filter((line) => line.startsWith(alert))).toEqual([`${alert} begins`]);

      await end();
      await run();
      await pass(10 * MINUTE);
      await run();
      await run();
      expect(told().filter((line) => line.startsWith(alert))).toEqual([`${alert} begins`, `${alert} ends`]);
      expect((await report()).active).toEqual([]);
    },
  );

  test('begins for an outbox on hold as for a full one, because it refuses new records', async () => {
    await gateOf(env).beginHold('1/0', { id: 'this', at: 1, since: Date.now() });
    await run();
    expect(told()).toEqual(['full begins']);

    await gateOf(env).endHold('1/0', false);
    await run();
    await pass(10 * MINUTE);
    await run();
    expect(told()).toEqual(['full begins', 'full ends']);
  });

  test('is in the log and in the status, with or without a receiver', async () => {
    const lines = loggedLines();
    await suspend();
    await run({ ALERT_WEBHOOK: '' });
    const logged = lines();
    vi.restoreAllMocks();

    expect(got).toEqual([]);
    expect(logged).toContain(
      '{\\"event\\":\\"alert\\",\\"alert\\":\\"suspended\\",\\"state\\":\\"begins\\"}',
    );
    expect((await report()).active).toEqual([
      { alert: 'suspended', since: expect.any(Number), figures: { status: 401 } },
    ]);
  });

  test('contains figures only: no record, no id, no secret and no setting', async () => {
    await waitingSince(16 * MINUTE);
    await suspend();
    await refuseTokens(20);
    await run();

    const sent = JSON.stringify(got.map(({ message }) => message));
    expect(told()).toEqual(['suspended begins', 'late begins', 'tokens_refused begins']);
    for (const word of ['Added to Cart', 'johndoe', env.WEBENGAGE_API_KEY, '~test', SECRET, 'very-secret'])
      expect(sent).not.toContain(word);
    for (const { message } of got)
      expect(Object.values(message.figures).every((figure) => typeof figure === 'number')).toBe(true);
  });

  test('leaves no address of a receiver and no secret in the gate or in the log', async () => {
    const lines = loggedLines();
    answers = [() => new Response('', { status: 500 })];
    await suspend();
    await run();
    const seen = lines() + (await everythingIn(gateOf(env)));
    vi.restoreAllMocks();

    expect(seen).toContain('alert_failed');
    for (const word of ['ops.example.com', 'very-secret', SECRET]) expect(seen).not.toContain(word);
  });

  test('of a relay with an invalid setting is sent if ALERT_WEBHOOK itself is valid', async () => {
    await run({ LINGER_MS: 'soon' });
    await run({ LINGER_MS: 'soon', ALERT_WEBHOOK: 'not an address' });

    expect(told()).toEqual(['broken begins']);
  });

  test('of a relay with an invalid ALERT_SECRET is not sent without a signature, but once it is valid', async () => {
    const lines = loggedLines();
    await run({ ALERT_SECRET: 'too short' });
    await pass(3 * MINUTE);
    await run({ ALERT_SECRET: 'too short' });
    const logged = lines();
    vi.restoreAllMocks();
    expect(got).toEqual([]);
    expect(logged).toContain(
      '{\\"event\\":\\"alert_failed\\",\\"form\\":\\"json\\",\\"invalid\\":\\"ALERT_SECRET\\"}',
    );

    await pass(3 * MINUTE);
    await run();

    expect(told()).toEqual(['broken begins']);
    expect(got[0]?.headers.get('Webengage-Relay-Signature')).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/);
  });

  test('of a relay with an invalid ALERT_SECRET reaches Slack, which checks no signature', async () => {
    await run({ ALERT_SECRET: 'too short', ALERT_WEBHOOK: 'https://hooks.slack.com/services/T0/B0/abc' });

    expect(got.map(({ url, headers }) => [url, headers.get('Webengage-Relay-Signature')])).toEqual([
      ['https://hooks.slack.com/services/T0/B0/abc', null],
    ]);
  });

  test('of a relay without the binding of its outboxes names it, and no outbox is called silent', async () => {
    const unbound = { OUTBOX: undefined as unknown as Env['OUTBOX'] };
    await waitingSince(1_000);
    await run(unbound);
    await run(unbound);

    expect(told()).toEqual(['broken begins']);
    const [{ message }] = got as [Got];
    expect(message.what).toMatch(/^The binding OUTBOX is missing/);
    expect(message.remedy).toMatch(/^Bind OUTBOX under durable_objects/);
  });

  test('of a relay whose OUTBOX is bound to another class says so, and no outbox is called silent', async () => {
    const misbound = { OUTBOX: relayEnv.RATE_GATE as unknown as Env['OUTBOX'] };
    await waitingSince(1_000);
    await run(misbound);
    await run(misbound);

    expect(told()).toEqual(['broken begins']);
    const [{ message }] = got as [Got];
    expect(message.what).toMatch(/OUTBOX .*leads to another class/);
    expect(message.remedy).toMatch(/to the class Outbox/);
  });

  test.each([
    ['IDENTITY_KEY', { IDENTITY: 'required', IDENTITY_KEY: 'too short' }],
    ['TRACKING_PLAN, without a plan', { TRACKING_PLAN: 'enforce' }],
  ])('of a relay with an invalid %s is sent, and its outboxes are asked', async (_, invalid) => {
    await waitingSince(6 * MINUTE);
    // The outbox that the run wakes may call WebEngage.
    vi.stubGlobal('fetch', async (request: Request) =>
      request.url === HOOK ? ports.fetch(request) : Response.json({ response: { status: 'queued' } }),
    );
    await createRelay().scheduled({ scheduledTime: MINUTE }, { ...env, ...invalid });
    vi.unstubAllGlobals();

    expect(told()).toEqual(['broken begins', 'stale begins']);
  });

  test('of a relay with an invalid setting says where to find its name', async () => {
    await run({ LINGER_MS: 'soon' });

    const [{ message }] = got as [Got];
    expect(message.what).toMatch(/^The relay answers 503 to every request/);
    expect(message.remedy).toMatch(/^Open \/health/);
  });
});

describe('a receiver that fails', () => {
  const status =
    (code: number, headers = {}) =>
    () =>
      new Response('', { status: code, headers });

  test.each([
    ['by 500', status(500)],
    ['by 429', status(429, { 'Retry-After': '30' })],
    ['by a redirect', status(302, { Location: 'https://evil.example/' })],
    ['by no connection', () => Promise.reject(new Error('refused'))],
    ['by a timeout', () => Promise.reject(new DOMException('', 'TimeoutError'))],
  ])('%s gets the same message in a later run, and then no more', async (_, failure) => {
    answers = [failure];
    await suspend();

    await run();
    await run();
    expect(got).toHaveLength(1);
    await pass(MINUTE);
    await evictDurableObject(gateOf(env));
    await run();
    await pass(MINUTE);
    await run();

    expect(told()).toEqual(['suspended begins', 'suspended begins']);
    expect(new Set(got.map(({ message }) => message.id)).size).toBe(1);
    expect(new Set(got.map(({ url }) => url))).toEqual(new Set([HOOK]));
    expect(Object.values((await report()).queues)).toEqual([
      { waiting: 0, last: { at: expect.any(Number), delivered: true, status: 200 } },
    ]);
  });

  test('and a watchdog that dies after sending: the message is sent again under its id', async () => {
    await suspend();
    const dying = new Proxy(gateOf(env), {
      get: (stub, name) =>
        name === 'alertsSent'
          ? () => Promise.reject(new Error('killed'))
          : // A stub's methods are properties of a proxy themselves.
            (...args: unknown[]) =>
              (stub as unknown as Record<string, (...a: unknown[]) => unknown>)[String(name)]?.(...args),
    });
    const RATE_GATE = { getByName: () => dying } as unknown as Env['RATE_GATE'];

    await expect(run({ RATE_GATE })).rejects.toThrow('killed');
    await run();
    expect(got).toHaveLength(1);
    await pass(2 * MINUTE);
    await run();
    await run();

    expect(told()).toEqual(['suspended begins', 'suspended begins']);
    expect(new Set(got.map(({ message }) => message.id)).size).toBe(1);
  });

  test('keeps neither another receiver nor a lost alarm waiting', async () => {
    await waitingSince(1_000);
    await suspend();
    answers = [status(500)];

    await run({ ALERT_WEBHOOK: `${HOOK},https://other.example.com/hook` });

    expect(got.map(({ url }) => new URL(url).host).toSorted()).toEqual([
      'ops.example.com',
      'other.example.com',
    ]);
    expect(await runInDurableObject(outbox, (_, { storage }) => storage.getAlarm())).toBeGreaterThan(0);
  });
});

test('two runs at once begin an alert once and send its message once', async () => {
  await suspend();

  await Promise.all([run(), run(), run()]);

  expect(told()).toEqual(['suspended begins']);
});

describe('a quiet relay', () => {
  const asked = async (scheduledAt: number) => {
    let calls = 0;
    const getByName = () => {
      calls += 1;
      return outbox;
    };
    await run({ OUTBOX: { getByName } as unknown as Env['OUTBOX'] }, scheduledAt);
    return calls;
  };

  test('has its outboxes asked in every fifth minute only', async () => {
    expect(await asked(0)).toBe(1);
    for (const minute of [1, 2, 3, 4]) expect(await asked(minute * MINUTE)).toBe(0);
    expect(await asked(5 * MINUTE)).toBe(1);
  });

  test('writes nothing', async () => {
    const written = () =>
      runInDurableObject(gateOf(env), (_, { storage: { sql } }) =>
        Number(sql.exec('SELECT total_changes() AS changes').one().changes),
      );
    await run();
    const before = await written();

    await run();
    await run({}, MINUTE);

    expect(await written()).toBe(before);
    await suspend();
    await run();
    expect(await written()).toBeGreaterThan(before);
  });

  test('is not quiet while records wait, a call has just started, or tokens are refused', async () => {
    await refuseTokens(1);
    expect(await asked(MINUTE)).toBe(1);
    await refuseTokens(0);
    expect(await asked(MINUTE)).toBe(0);

    await gateOf(env).take({ isolating: false, seen: undefined });
    expect(await asked(MINUTE)).toBe(1);
    await runInDurableObject(gateOf(env), (_, { storage }) => storage.kv.delete('state'));
    expect(await asked(MINUTE)).toBe(0);

    await waitingSince(1_000);
    await run();
    expect(await asked(MINUTE)).toBe(1);
  });

  test('has no alert in an hour in which records come and go', async () => {
    for (let minute = 0; minute < 60; minute++) {
      await waitingSince(5_000);
      await run({}, minute * MINUTE);
      await passAt(outbox, scriptedUpstream(), Date.now());
      await pass(MINUTE);
    }

    expect(got).toEqual([]);
    expect((await report()).active).toEqual([]);
  });
});
