import { createExecutionContext, runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Answer, Refusal } from '../../../src/contract/answer.ts';
import type { TrackerRecord } from '../../../src/contract/record.ts';
import type { RelayStatus } from '../../../src/edge/operator/relay-status.ts';
import type { Delivery } from '../../../src/edge/queue/ingest.ts';
import { createRelay, type Env } from '../../../src/edge/worker.ts';
import { relayEnv } from '../../fakes/outbox.ts';
import { eventRecord, idOf, userRecord } from '../../fakes/records.ts';
import { jwkSet, secretJwk, siteKey, token } from '../../fakes/tokens.ts';

const SHOP = 'https://shop.example.com';
const site = await siteKey();
const other = await siteKey();

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;
const tokenOf = (cuid: string, exp = inSeconds(600), key = site.privateKey) => token(key, { cuid, exp });

const TOKENS = {
  none: undefined,
  ofJohn: await tokenOf('johndoe'),
  ofEve: await tokenOf('eve'),
  expired: await tokenOf('johndoe', inSeconds(-120)),
  forged: await tokenOf('johndoe', inSeconds(600), other.privateKey),
  garbage: 'johndoe',
  empty: '',
};

const newSession = () => crypto.randomUUID().replaceAll('-', '').slice(0, 22);

/** Records as a browser makes them, of these users in turn; null is nobody known. */
function recordsOf(...userIds: (string | null)[]): TrackerRecord[] {
  const session = newSession();
  return userIds.map((userId, index) => {
    const { userId: _, ...event } = eventRecord(index + 1, { id: idOf(index + 1, session) });
    return userId === null ? { ...event, anonymousId: 'anonymous' } : { ...event, userId };
  });
}

const RECORDS = {
  ofJohn: () => recordsOf('johndoe', 'johndoe'),
  ofBoth: () => recordsOf('johndoe', 'eve'),
  ofJohnAndNobody: () => recordsOf(null, 'johndoe'),
  ofNobody: () => recordsOf(null, null),
};

/** Outboxes that take everything, and remember what it was. */
function watchedOutbox() {
  const deliveries: Delivery[] = [];
  const getByName = vi.fn(() => ({
    ingest: async (_: string, delivery: Delivery) => {
      deliveries.push(delivery);
      return { stored: true, accepted: delivery.runs.flatMap(({ ids }) => ids).length, duplicates: 0 };
    },
  }));
  return { deliveries, getByName, OUTBOX: { getByName } as unknown as Env['OUTBOX'] };
}

const relay = createRelay();
const required = { IDENTITY: 'required', IDENTITY_KEY: site.pem };
const optional = { IDENTITY: 'optional', IDENTITY_KEY: site.pem };

function request(path: string, init: RequestInit, env: Partial<Env>, through = relay): Promise<Response> {
  const asked = new Request(`http://127.0.0.1:8787${path}`, {
    ...init,
    headers: { Origin: SHOP, ...(init.headers as Record<string, string>) },
  });
  return Promise.resolve(through.fetch(asked, { ...relayEnv, ...env }, createExecutionContext()));
}

function post(
  records: readonly unknown[],
  text: string | undefined,
  env: Partial<Env>,
  device: string = crypto.randomUUID(),
): Promise<Response> {
  const batch = { v: 1, sentAt: new Date().toISOString(), device, token: text, records };
  return request('/v1/batch', { method: 'POST', body: JSON.stringify(batch) }, env);
}

const logged: string[] = [];
beforeEach(() => {
  logged.length = 0;
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation((line) => void logged.push(String(line)));
});
afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await runInDurableObject(relayEnv.OUTBOX.getByName('1/0'), (_, { storage }) => storage.deleteAlarm());
});

describe('a batch', () => {
  type Case = [keyof typeof TOKENS, keyof typeof RECORDS, off: number, optional: number, required: number];
  const cases: Case[] = [
    ['none', 'ofJohn', 202, 202, 401],
    ['none', 'ofBoth', 202, 202, 401],
    ['none', 'ofJohnAndNobody', 202, 202, 401],
    ['none', 'ofNobody', 202, 202, 202],
    ['ofJohn', 'ofJohn', 202, 202, 202],
    ['ofJohn', 'ofBoth', 202, 401, 401],
    ['ofJohn', 'ofJohnAndNobody', 202, 202, 202],
    ['ofJohn', 'ofNobody', 202, 202, 202],
    ['ofEve', 'ofJohn', 202, 401, 401],
    ['ofEve', 'ofJohnAndNobody', 202, 401, 401],
    ['expired', 'ofJohn', 202, 401, 401],
    ['expired', 'ofNobody', 202, 202, 202],
    ['forged', 'ofJohn', 202, 401, 401],
    ['forged', 'ofNobody', 202, 202, 202],
    ['garbage', 'ofJohn', 202, 401, 401],
    ['garbage', 'ofNobody', 202, 202, 202],
    ['empty', 'ofJohn', 202, 401, 401],
  ];

  test.each(
    cases.flatMap(([which, records, ...statuses]) =>
      (['off', 'optional', 'required'] as const).map(
        (IDENTITY, index) => [which, records, IDENTITY, statuses[index]] as const,
      ),
    ),
  )('with token %s, records %s and IDENTITY=%s is answered %d', async (which, records, IDENTITY, status) => {
    const { OUTBOX, deliveries, getByName } = watchedOutbox();
    const sent = RECORDS[records]();

    const answer = await post(sent, TOKENS[which], { IDENTITY, IDENTITY_KEY: site.pem, OUTBOX });

    expect(answer.status).toBe(status);
    if (status === 202) {
      expect(deliveries.map(({ runs }) => runs.flatMap(({ ids }) => ids))).toEqual([
        sent.map(({ id }) => id),
      ]);
      const isUnverified = IDENTITY === 'optional' && which === 'none' && records !== 'ofNobody';
      expect(deliveries.map(({ unverified }) => unverified)).toEqual([isUnverified]);
    } else {
      expect(getByName).not.toHaveBeenCalled();
      expect(await answer.json()).toEqual({
        error: { code: 'invalid_token', message: expect.any(String) },
        now: expect.any(Number),
      });
    }
  });

  test('needs a token for user records too, not only for events', async () => {
    const { OUTBOX } = watchedOutbox();
    const john = () => [userRecord(1, { id: idOf(1, newSession()) })];

    expect((await post(john(), TOKENS.ofJohn, { ...required, OUTBOX })).status).toBe(202);
    expect((await post(john(), TOKENS.ofEve, { ...required, OUTBOX })).status).toBe(401);
  });

  test.each(['JohnDoe', 'johndoe ', 'jоhndoe', 'johndoe\u0000', 'johndoe\u200b', 'josé'])(
    'needs the token of exactly that user: not %j',
    async (userId) => {
      const { OUTBOX, getByName } = watchedOutbox();
      const text = userId === 'josé' ? await tokenOf('josé'.normalize('NFD')) : TOKENS.ofJohn;

      expect((await post(recordsOf(userId), text, { ...required, OUTBOX })).status).toBe(401);
      expect(getByName).not.toHaveBeenCalled();
    },
  );

  test.each([[5], [['johndoe']], [{ toString: 'johndoe' }], [null], [true], ['']])(
    'with an invalid userId is accepted for no user: %j',
    async (userId) => {
      const { OUTBOX, deliveries } = watchedOutbox();
      const sent = recordsOf('johndoe').map((record) => ({ ...record, userId }));

      const answer = await post(sent, undefined, { ...required, OUTBOX });

      expect(await answer.json()).toMatchObject({ accepted: 0, rejected: [{ id: sent[0]?.id }] });
      expect(deliveries.map(({ runs }) => runs)).toEqual([[]]);
    },
  );

  test('with both ids belongs to the user', async () => {
    const { OUTBOX, getByName } = watchedOutbox();
    const sent = recordsOf('johndoe').map((record) => ({ ...record, anonymousId: 'anonymous' }));

    expect((await post(sent, undefined, { ...required, OUTBOX })).status).toBe(401);
    expect(getByName).not.toHaveBeenCalled();
  });

  test('needs no token for records that the contract rejects, and these cost the others nothing', async () => {
    const { OUTBOX, deliveries } = watchedOutbox();
    const [johns, eves] = recordsOf('johndoe', 'eve');
    const expired = { ...eves, age: 8 * 86_400_000 };

    const answer = await post([johns, expired], TOKENS.ofJohn, { ...required, OUTBOX });

    expect(await answer.json()).toMatchObject({ accepted: 1, rejected: [{ id: eves?.id }] });
    expect(deliveries.map(({ runs }) => runs.flatMap(({ ids }) => ids))).toEqual([[johns?.id]]);
  });
});

describe('a refusal', () => {
  test.each([
    ['none', 'records with a userId need an identity token, and this batch has none'],
    ['expired', 'the identity token has expired'],
    ['forged', 'the identity token must be signed with the key in IDENTITY_KEY, using its algorithm'],
    ['garbage', 'the identity token must be a signed JWT in compact form'],
    ['ofEve', 'the identity token is for a different user than the records'],
  ] as const)('says what is wrong, readable by the page, and names no user: %s', async (which, message) => {
    const answer = await post(recordsOf('johndoe'), TOKENS[which], required);

    expect(answer.status).toBe(401);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
    expect(await answer.json()).toMatchObject({ error: { code: 'invalid_token', message } });
  });

  test('is the same whether the relay has the records or not', async () => {
    const device = crypto.randomUUID();
    const known = recordsOf('johndoe');
    await post(known, TOKENS.ofJohn, required, device);

    const answers = [
      await post(known, TOKENS.ofEve, required, device),
      await post(recordsOf('johndoe'), TOKENS.ofEve, required, device),
    ];

    // But for the relay's clock, which tells nothing of either.
    const [first, second] = await Promise.all(answers.map((answer) => answer.json<Refusal>()));
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect({ ...first, now: 0 }).toEqual({ ...second, now: 0 });
  });

  test('stores and sends nothing, and the same records are accepted once with the right token', async () => {
    const upstream = vi.fn(async () => Response.json({ response: { status: 'queued' } }));
    vi.stubGlobal('fetch', upstream);
    const device = crypto.randomUUID();
    const sent = recordsOf('johndoe', 'johndoe');
    const outbox = relayEnv.OUTBOX.getByName('1/0');
    const before = await outbox.status();

    await post(sent, TOKENS.expired, required, device);
    await post(sent, undefined, required, device);
    const after = await outbox.status();
    const taken = await post(sent, TOKENS.ofJohn, required, device);
    const again = await post(sent, TOKENS.ofJohn, required, device);

    expect(after.totals).toEqual(before.totals);
    expect(upstream).not.toHaveBeenCalled();
    expect(await taken.json<Answer>()).toMatchObject({ accepted: 2, duplicates: 0 });
    expect(await again.json<Answer>()).toMatchObject({ accepted: 0, duplicates: 2 });
  });

  test('is reported to the operator by reason, the first one at once', async () => {
    const fresh = createRelay();
    const refuse = (text: string | undefined) =>
      request(
        '/v1/batch',
        {
          method: 'POST',
          body: JSON.stringify({
            v: 1,
            device: crypto.randomUUID(),
            token: text,
            records: recordsOf('johndoe'),
          }),
        },
        required,
        fresh,
      );

    await refuse(TOKENS.expired);
    await refuse(TOKENS.expired);
    await refuse(undefined);

    expect(logged).toEqual(['{"event":"tokens_refused","expired":1}']);
  });

  test('is counted for the alert in the gate, by one call a minute', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const reported: unknown[] = [];
    const gate = { addCounts: async (...counted: unknown[]) => void reported.push(counted) };
    const RATE_GATE = { getByName: () => gate } as unknown as Env['RATE_GATE'];
    const fresh = createRelay();
    const refuse = () => {
      const device = crypto.randomUUID();
      const body = JSON.stringify({ v: 1, device, token: TOKENS.forged, records: recordsOf('johndoe') });
      return request('/v1/batch', { method: 'POST', body }, { ...required, RATE_GATE }, fresh);
    };

    for (let n = 0; n < 5; n++) await refuse();
    vi.advanceTimersByTime(60_000);
    await refuse();
    vi.useRealTimers();

    expect(reported).toEqual([
      ['tokens_refused', { bad_signature: 1 }],
      ['tokens_refused', { bad_signature: 5 }],
    ]);
  });

  test('is refused alike if the gate can’t count it', async () => {
    const gate = { addCounts: () => Promise.reject(new Error('gone')) };
    const RATE_GATE = { getByName: () => gate } as unknown as Env['RATE_GATE'];
    const body = JSON.stringify({ v: 1, device: crypto.randomUUID(), records: recordsOf('johndoe') });

    const answer = await request(
      '/v1/batch',
      { method: 'POST', body },
      { ...required, RATE_GATE },
      createRelay(),
    );

    expect(answer.status).toBe(401);
  });
});

describe('the key', () => {
  test('can change from one request to the next', async () => {
    const { OUTBOX } = watchedOutbox();
    const { forged } = TOKENS;
    const keys = [site.pem, other.pem, site.pem];

    const answers: Response[] = [];
    for (const IDENTITY_KEY of keys)
      answers.push(await post(recordsOf('johndoe'), forged, { ...required, IDENTITY_KEY, OUTBOX }));

    expect(answers.map(({ status }) => status)).toEqual([401, 202, 401]);
  });

  test.each([
    ['a missing key', 'required', '', /IDENTITY_KEY is not set/],
    ['a missing key', 'optional', '', /IDENTITY_KEY is not set/],
    ['a private key', 'optional', site.privatePem, /private key/],
    ['text that is not a key', 'required', 'hunter2', /IDENTITY_KEY must/],
  ])(
    '%s is answered 503 everywhere, with what to set (IDENTITY=%s)',
    async (_, IDENTITY, IDENTITY_KEY, words) => {
      const env = { IDENTITY, IDENTITY_KEY };
      const answers = [await post(recordsOf(null), undefined, env), await request('/health', {}, env)];

      for (const answer of answers) {
        expect(answer.status).toBe(503);
        expect(answer.headers.get('Retry-After')).not.toBeNull();
        expect(await answer.text()).toMatch(words);
      }
    },
  );

  test('is not checked if identity tokens are off', async () => {
    const answer = await request('/health', {}, { IDENTITY: 'off', IDENTITY_KEY: site.privatePem });

    expect(answer.status).toBe(200);
  });

  test('appears in no answer and no log line, and neither does a token', async () => {
    const SECRET = 'canary-secret-that-no-answer-may-hold';
    const settings = [
      { IDENTITY_KEY: SECRET },
      { IDENTITY_KEY: SECRET.slice(0, 31) },
      { IDENTITY_KEY: site.pem },
      { IDENTITY_KEY: site.privatePem },
      { IDENTITY_KEY: jwkSet({ ...site.jwk, kid: 'a' }, { ...secretJwk(SECRET), kid: 'b' }) },
      { IDENTITY_KEY: jwkSet(site.privateJwk) },
      { IDENTITY_KEY: jwkSet(secretJwk(SECRET.slice(0, 31))) },
      { IDENTITY_KEY: jwkSet(secretJwk(SECRET)).slice(0, -2) },
    ];
    const answers: string[] = [];
    for (const env of settings)
      for (const text of Object.values(TOKENS)) {
        const answer = await post(recordsOf('johndoe'), text, { IDENTITY: 'required', ...env });
        answers.push(JSON.stringify([...answer.headers]) + (await answer.text()));
      }

    const secrets = [...Object.values(TOKENS), ...settings.map(({ IDENTITY_KEY }) => IDENTITY_KEY)]
      .flatMap((text) => text?.match(/[\w-]{20,}/g) ?? [])
      .map((piece) => piece.slice(0, 20));
    expect(secrets.length).toBeGreaterThan(20);
    for (const secret of secrets) {
      expect(answers.join()).not.toContain(secret);
      expect(logged.join()).not.toContain(secret);
    }
  });
});

// The relay's own page: no other may ask what the operator may.
const OWN = 'http://127.0.0.1:8787';

describe('optional tokens', () => {
  const status = async () => {
    const answer = await request(
      '/admin/status',
      { headers: { Authorization: `Bearer ${relayEnv.ADMIN_TOKEN}`, Origin: OWN } },
      optional,
    );
    return answer.json<RelayStatus>();
  };

  test('count for the operator how many user records were unverified', async () => {
    const device = crypto.randomUUID();
    const unverified = recordsOf('johndoe', null, 'eve');
    const before = await status();

    await post(unverified, undefined, optional, device);
    await post(unverified, undefined, optional, device);
    await post(recordsOf('johndoe'), TOKENS.ofJohn, optional);
    await post(recordsOf('johndoe'), undefined, { IDENTITY: 'off' });
    await post(recordsOf(null), undefined, optional);
    const after = await status();

    const lastHour = ({ minutes }: RelayStatus) => minutes.reduce((sum, each) => sum + each.unverified, 0);
    expect((after.totals.unverified ?? 0) - (before.totals.unverified ?? 0)).toBe(2);
    expect(lastHour(after) - lastHour(before)).toBe(2);
  });
});

test('a token goes no further than the Worker', async () => {
  const { OUTBOX, deliveries } = watchedOutbox();

  await post(recordsOf('johndoe'), TOKENS.ofJohn, { ...required, OUTBOX });

  expect(JSON.stringify(deliveries)).toContain('johndoe');
  expect(JSON.stringify(deliveries)).not.toContain(TOKENS.ofJohn.slice(0, 20));
});
