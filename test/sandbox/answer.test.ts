import { describe, expect, test } from 'vitest';
import { type Answer, answer, type Call, type Scene } from '../../src/sandbox/answer.ts';
import { type ControlOrder, controlOf } from '../../src/sandbox/control.ts';
import { responseOf } from '../../src/sandbox/response.ts';

const GOOD = { userId: 'johndoe', eventName: 'Clicked' };
const POISON = { userId: 'johndoe', eventName: 'Poison' };

type Given = {
  readonly order?: ControlOrder;
  readonly call?: Partial<Call>;
  readonly scene?: Partial<Scene>;
  readonly events?: readonly unknown[];
};

/** What the sandbox answers to a call that is as it should be, but for what is given. */
function answerTo({ order = {}, call = {}, scene = {}, events = [GOOD] }: Given = {}): Answer {
  return answer(
    controlOf(order),
    {
      license: '~code',
      path: 'bulk-events',
      authorization: 'Bearer key',
      requestId: 'a1',
      body: JSON.stringify({ events }),
      ...call,
    },
    {
      now: 0,
      chance: 0,
      key: 'key',
      license: '~code',
      requestsPerMinute: 500,
      arrivals: 0,
      bodyBefore: undefined,
      ...scene,
    },
  );
}

const takenBy = ({ records }: Answer) => records.filter(({ taken }) => taken).map(({ record }) => record);
const status = (given: Given) => answerTo(given).reply.status;

test('a valid call is queued, and its id then stands for it', () => {
  expect(answerTo()).toEqual({
    reply: {
      status: 200,
      body: '{"response":{"status":"queued"}}',
      headers: {
        'Content-Type': 'application/json',
        'X-RateLimit-Limit': '500',
        'X-RateLimit-Remaining': '499',
      },
      cut: false,
      delayMs: 0,
    },
    sent: 1,
    records: [{ record: GOOD, taken: true, dropped: [] }],
    settlesId: true,
    swallowed: 0,
  });
});

test('success may be 201', () => {
  expect(status({ order: { success: 201 } })).toBe(201);
});

describe('an invalid record', () => {
  const refuse = { field: 'eventName', value: 'Poison' };

  test('fails the whole call, with WebEngage’s message', () => {
    const answered = answerTo({ order: { refuse }, events: [GOOD, POISON] });

    expect(answered.reply.status).toBe(400);
    expect(JSON.parse(answered.reply.body)).toEqual({
      response: { message: 'Error: eventName is not accepted, as configured.', status: 'error' },
    });
    expect(answered).toMatchObject({ sent: 2, records: [], settlesId: false });
  });

  test.each([413, 422] as const)('fails it with %d if so configured', (ordered) => {
    expect(status({ order: { refuse: { ...refuse, status: ordered } }, events: [POISON] })).toBe(ordered);
  });

  test('drops only itself if so configured, and only the sandbox page shows it', () => {
    const answered = answerTo({
      order: { refuse, invalid: 'drops_record' },
      events: [GOOD, POISON, {}],
    });

    expect(answered.reply.status).toBe(200);
    expect(takenBy(answered)).toEqual([GOOD]);
    expect(answered.records.slice(1)).toEqual([
      { record: POISON, taken: false, dropped: [{ path: '', message: expect.any(String) }] },
      { record: {}, taken: false, dropped: [{ path: '', message: expect.any(String) }] },
    ]);
  });
});

describe('a wrong key', () => {
  const call = { authorization: 'Bearer other' };

  test('is answered 401 or 403', () => {
    expect(status({ call })).toBe(401);
    expect(status({ call, order: { wrongKey: 403 } })).toBe(403);
  });

  test('is the right one once the key is rotated, and the old one is too while both are accepted', () => {
    expect(status({ call, order: { acceptKeys: ['other'] } })).toBe(200);
    expect(status({ order: { acceptKeys: ['other'] } })).toBe(401);
    expect(status({ order: { acceptKeys: ['other', 'key'] } })).toBe(200);
    expect(status({ order: { acceptKeys: [] } })).toBe(401);
  });
});

test('a wrong license code is answered 404 or 400', () => {
  expect(status({ call: { license: '~other' } })).toBe(404);
  expect(status({ call: { license: '~other' }, order: { wrongLicense: 400 } })).toBe(400);
  expect(status({ call: { license: '~other' }, order: { license: '~other' } })).toBe(200);
});

describe('a repeated request id', () => {
  const [body, other] = [JSON.stringify({ events: [GOOD] }), JSON.stringify({ events: [POISON] })];

  test('with the same records is a success that adds nothing', () => {
    const answered = answerTo({ scene: { bodyBefore: body } });

    expect(answered).toMatchObject({ reply: { status: 200 }, records: [], swallowed: 0 });
  });

  test('adds the records again if ids are ignored', () => {
    const answered = answerTo({ scene: { bodyBefore: body }, order: { idempotency: 'ignored' } });

    expect(takenBy(answered)).toEqual([GOOD]);
    expect(answered.settlesId).toBe(false);
  });

  test('with other records is refused, because no relay may send that', () => {
    expect(answerTo({ scene: { bodyBefore: other } })).toMatchObject({ reply: { status: 400 }, records: [] });
  });

  test('with other records swallows them if so configured, as the real one would', () => {
    const answered = answerTo({ scene: { bodyBefore: other }, order: { reusedRequestId: 'swallowed' } });

    expect(answered).toMatchObject({ reply: { status: 200 }, records: [], swallowed: 1 });
  });
});

describe('the limit', () => {
  test('counts earlier calls, and those of others', () => {
    expect(status({ scene: { arrivals: 499 } })).toBe(200);
    expect(status({ scene: { arrivals: 500 } })).toBe(429);
    expect(status({ scene: { arrivals: 450 }, order: { usedByOthers: 50 } })).toBe(429);
    expect(status({ scene: { arrivals: 99 }, order: { requestsPerMinute: 100 } })).toBe(200);
    expect(status({ scene: { arrivals: 100 }, order: { requestsPerMinute: 100 } })).toBe(429);
  });

  test('is in the headers of every answer of WebEngage, or of none', () => {
    const scene = { arrivals: 100 };

    const withRate = answerTo({ scene, order: { requestsPerMinute: 300, usedByOthers: 50 } }).reply.headers;
    const withoutRate = answerTo({ scene, order: { rateHeaders: 'absent' } }).reply.headers;

    expect(withRate).toMatchObject({ 'X-RateLimit-Limit': '300', 'X-RateLimit-Remaining': '149' });
    expect(Object.keys(withoutRate)).toEqual(['Content-Type']);
  });

  test.each([
    ['none', undefined],
    ['seconds', '30'],
    ['date', 'Thu, 01 Jan 1970 00:01:30 GMT'],
    ['garbage', 'in a while'],
  ] as const)('gives over it the Retry-After %s', (retryAfter, expected) => {
    const { headers } = answerTo({
      order: { fault: '429', retryAfter, retryAfterSeconds: 30 },
      scene: { now: 60_000 },
    }).reply;

    expect(headers['Retry-After']).toBe(expected);
  });
});

describe('a fault', () => {
  test.each(['down', '429', 'cut_before', 'page', 500, 301] as const)('%s accepts nothing', (fault) => {
    expect(answerTo({ order: { fault } })).toMatchObject({ records: [], settlesId: false });
  });

  test.each(['slow', 'cut'] as const)('%s concerns the answer, and the records are accepted', (fault) => {
    const answered = answerTo({ order: { fault } });

    expect(takenBy(answered)).toEqual([GOOD]);
    expect(answered.settlesId).toBe(true);
  });

  test.each(['page', 504] as const)('%s may come after the records were accepted', (fault) => {
    const answered = answerTo({ order: { fault, faultAt: 'after' } });

    expect(answered.reply.status).toBeGreaterThan(500);
    expect(takenBy(answered)).toEqual([GOOD]);
  });

  test('after acceptance leaves refused records refused', () => {
    expect(status({ order: { fault: 504, faultAt: 'after' }, events: [{}] })).toBe(400);
    expect(status({ order: { fault: 'slow' }, call: { authorization: '' } })).toBe(401);
  });

  test('slow is a delay that the sender of the answer keeps', () => {
    expect(answerTo({ order: { fault: 'slow', delayMs: 12_000 } }).reply).toMatchObject({
      status: 200,
      delayMs: 12_000,
    });
  });

  test('cut breaks off, whether records were accepted or not', () => {
    expect(answerTo({ order: { fault: 'cut' } }).reply.cut).toBe(true);
    expect(answerTo({ order: { fault: 'cut_before' } }).reply.cut).toBe(true);
  });

  test('page is no JSON and of no account', () => {
    const { reply } = answerTo({ order: { fault: 'page', pageStatus: 504 } });

    expect(reply).toMatchObject({ status: 504, headers: { 'Content-Type': 'text/html' } });
    expect(Object.keys(reply.headers)).toEqual(['Content-Type']);
    expect(reply.body).toContain('<html>');
  });

  test('a 3xx redirects elsewhere', () => {
    const { reply } = answerTo({ order: { fault: 307, location: 'https://b.example/' } });

    expect(reply).toMatchObject({ status: 307, headers: { Location: 'https://b.example/' } });
  });

  test('429 as a number is the limit too', () => {
    const { reply } = answerTo({ order: { fault: 429, retryAfter: 'seconds' } });

    expect(reply).toMatchObject({ status: 429, headers: { 'Retry-After': '5' } });
  });

  test.each([300, 304, 399, 403, 408, 413, 500, 504, 599])('%d can be sent', async (fault) => {
    expect(responseOf(answerTo({ order: { fault } }).reply).status).toBe(fault);
  });
});

test('a cut answer breaks off while it is read', async () => {
  const response = responseOf(answerTo({ order: { fault: 'cut' } }).reply);

  await expect(response.text()).rejects.toThrow('cut');
});
