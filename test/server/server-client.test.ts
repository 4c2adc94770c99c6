import { describe, expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../src/contract/batch.ts';
import { checkRecord } from '../../src/contract/record.ts';
import { RecordError } from '../../src/tracker/record/capture.ts';
import { accepted } from '../fakes/platform.ts';
import { serverWith, TOKEN } from '../fakes/server-platform.ts';
import { settled } from '../fakes/settled.ts';

const SHIPPED = { userId: 'johndoe', eventName: 'Order Shipped', eventData: { Total: 39.8 } };

/** What has become of a promise by now. */
async function stateOf(promise: Promise<unknown>): Promise<'resolved' | 'rejected' | 'waits'> {
  let state: 'resolved' | 'rejected' | 'waits' = 'waits';
  promise.then(
    () => {
      state = 'resolved';
    },
    () => {
      state = 'rejected';
    },
  );
  await settled();
  return state;
}

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    (error: Error & { readonly code?: string }) => ({ code: error.code, message: error.message }),
  );

const numbers = (records: readonly object[]) =>
  records.map((record) => (record as { readonly eventData?: { readonly n?: number } }).eventData?.n);

describe('a call', () => {
  test('resolves once the relay has stored its record, which carries the token and follows the contract', async () => {
    const { client, time, requests, arrived } = serverWith();

    const call = client.track(SHIPPED);
    expect(await stateOf(call)).toBe('waits');
    await time.pass(200);
    await call;

    const [request] = requests;
    expect(request?.url).toBe('https://t.example.com/v1/batch');
    expect(request?.init.headers).toMatchObject({ Authorization: `Bearer ${TOKEN}` });
    expect(request?.init.redirect).toBe('manual');
    const [{ record } = { record: undefined }] = arrived();
    expect(checkRecord(record).ok).toBe(true);
    expect(record).toEqual({ kind: 'event', id: expect.any(String), age: 200, ...SHIPPED });
  });

  test('of a user has the profile, with dates in the form of the contract', async () => {
    const { client, time, arrived } = serverWith();

    const call = client.identify({
      userId: 'johndoe',
      email: 'john@doe.com',
      birthDate: '1990-05-17',
      attributes: { Renewed: new Date('2026-11-23T15:45:00Z') },
    });
    await time.pass(200);
    await call;

    expect(checkRecord(arrived()[0]?.record).ok).toBe(true);
    expect(arrived()[0]?.record).toMatchObject({
      kind: 'user',
      email: 'john@doe.com',
      attributes: { Renewed: expect.stringMatching(/^2026-11-2\dT\d\d:\d\d:00[+-]\d{4}$/) },
    });
  });

  test('keeps the values that it was made with, and its own time', async () => {
    const { client, time, arrived } = serverWith();
    const eventData = { Total: 1 };

    void client.track({ ...SHIPPED, eventData, eventTime: new Date('2019-03-01T12:00:00Z') });
    eventData.Total = 2;
    await time.pass(200);

    expect(arrived()[0]?.record).toMatchObject({
      eventData: { Total: 1 },
      eventTime: expect.stringMatching(/^2019-03-01T/),
    });
  });

  test('rejects with the issues if the relay rejects its record, and its neighbours resolve', async () => {
    const { client, time, relay } = serverWith();
    const issues = [{ path: 'eventData.Total', message: 'is not in the tracking plan' }];
    relay.onTheWay.answer = (body) => {
      const { records } = JSON.parse(body);
      return accepted(records, { accepted: 1, rejected: [{ id: records[0].id, issues }] });
    };

    const [bad, good] = [client.track(SHIPPED), client.track(SHIPPED)];
    const caught = bad.catch((error) => error);
    await time.pass(200);

    expect(await caught).toBeInstanceOf(RecordError);
    expect(await caught).toMatchObject({
      issues,
      message: 'eventData.Total is not in the tracking plan',
    });
    await good;
  });
});

describe('batches', () => {
  test('25 records of a slot leave at once, fewer after maxWaitMs, and up to 400 that gathered leave together', async () => {
    const { client, time, sent, relay } = serverWith();
    relay.replies.push('slow');

    const calls = Array.from({ length: 600 }, (_, n) => client.track({ ...SHIPPED, eventData: { n } }));
    // Each call takes a few turns to get its place.
    for (let turn = 0; turn < 100; turn++) await settled();
    await time.pass(3_000);
    await Promise.all(calls);
    expect(sent().map((records) => records.length)).toEqual([25, 400, 175]);
    void client.track(SHIPPED);
    await time.pass(199);
    expect(sent()).toHaveLength(3);
    await time.pass(1);

    expect(sent()).toHaveLength(4);
  });

  test('stay within the size of a body, whatever the records weigh', async () => {
    const { client, requests, arrived } = serverWith();
    const big = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`Text ${n}`, '€'.repeat(500)]));

    await Promise.all([
      ...Array.from({ length: 40 }, () => client.track({ ...SHIPPED, eventData: big })),
      client.flush(),
    ]);

    expect(arrived()).toHaveLength(40);
    for (const { init } of requests)
      expect(Buffer.byteLength(String(init.body))).toBeLessThanOrEqual(MAX_BODY_BYTES);
    // Two of them fit a request, and are sent so.
    expect(requests.length).toBeLessThan(30);
  });

  test('a flush waits for nothing, and resolves when all earlier calls are settled', async () => {
    const { client, time, relay, arrived } = serverWith();
    relay.replies.push('slow');
    const call = client.track(SHIPPED);

    const flush = client.flush();
    expect(await stateOf(flush)).toBe('waits');
    await time.pass(3_000);

    await flush;
    await call;
    expect(arrived()).toHaveLength(1);
  });

  test('of several people go side by side, at most six at a time, and one after the other for each slot', async () => {
    const { client, time, relay } = serverWith();
    let [atOnce, most] = [0, 0];
    const underWay = new Set<string>();
    const { fetch } = relay.relay;
    relay.relay.fetch = async (url, init) => {
      const { device } = JSON.parse(String(init?.body));
      expect(underWay).not.toContain(device);
      underWay.add(device);
      most = Math.max(most, ++atOnce);
      relay.replies.push('slow');
      const answer = await fetch(url, init);
      atOnce -= 1;
      underWay.delete(device);
      return answer;
    };

    const calls = Array.from({ length: 300 }, (_, n) =>
      client.track({ ...SHIPPED, userId: `user ${n % 60}` }),
    );
    await time.pass(60_000);

    await Promise.all(calls);
    expect(most).toBe(6);
  });
});

describe('a messageId', () => {
  test('makes calls of several processes one record, and its kind and person distinguish it', async () => {
    const first = serverWith();
    const second = serverWith({}, { time: first.time, relay: first.relay });
    const once = { ...SHIPPED, messageId: 'order-1337' };

    await Promise.all([
      ...[first, first, second].map(({ client }) => client.track(once)),
      second.client.track({ ...once, userId: 'janedoe' }),
      second.client.identify({ userId: 'johndoe', messageId: 'order-1337' }),
      first.client.flush(),
      second.client.flush(),
    ]);

    expect(first.arrived().map(({ record }) => [record.kind, record.userId])).toEqual(
      expect.arrayContaining([
        ['event', 'johndoe'],
        ['event', 'janedoe'],
        ['user', 'johndoe'],
      ]),
    );
    expect(first.arrived()).toHaveLength(3);
  });

  test('is another one under another source', async () => {
    const first = serverWith();
    const second = serverWith({ source: 'billing' }, { time: first.time, relay: first.relay });

    await Promise.all(
      [first, second].flatMap(({ client }) => [
        client.track({ ...SHIPPED, messageId: 'order-1337' }),
        client.flush(),
      ]),
    );

    expect(first.arrived()).toHaveLength(2);
  });

  test('holds the place of its call among those of its person', async () => {
    const { client, arrived } = serverWith();

    for (let n = 0; n < 20; n++)
      void client.track({ ...SHIPPED, eventData: { n }, ...(n % 3 === 0 && { messageId: `m${n}` }) });
    await client.flush();

    expect(numbers(arrived().map(({ record }) => record))).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });
});

describe('while the relay does not take records', () => {
  test('a call waits as Retry-After asks, plus up to a fifth, and then resolves', async () => {
    const { client, time, relay, requests } = serverWith();
    relay.replies.push('rate_limited', 'unavailable');

    const call = client.track(SHIPPED);
    await time.pass(200);
    await time.pass(32_900);
    expect(requests).toHaveLength(1);
    await time.pass(200);
    expect(requests).toHaveLength(2);
    expect(await stateOf(call)).toBe('waits');
    await time.pass(33_000);

    await call;
  });

  test('a lost answer and a late one are followed by the same ids', async () => {
    const { client, time, relay, sent, arrived } = serverWith({ timeoutMs: 1_000 });
    relay.replies.push('lost', 'slow');

    const call = client.track(SHIPPED);
    await time.pass(10_000);

    await call;
    expect(arrived()).toHaveLength(1);
    expect(new Set(sent().flatMap((records) => records.map(({ id }) => id))).size).toBe(1);
    expect(sent()).toHaveLength(3);
  });

  test('a call rejects after giveUpAfterMs, with the last reason', async () => {
    const { client, time, relay } = serverWith({ giveUpAfterMs: 60_000 });
    relay.replies.push(...Array(1_000).fill('offline'));

    const reason = reasonOf(client.track(SHIPPED));
    await time.pass(61_000);

    expect(await reason).toEqual({
      code: 'unavailable',
      message: 'the relay took no record for 60 s, at last with Failed to fetch: check that it runs',
    });
  });

  test('calls beyond maxBufferedBytes wait for room, in order, and none is lost', async () => {
    const { client, time, relay, placed, arrived } = serverWith({ maxBufferedBytes: 1024 * 1024 });
    relay.replies.push('rate_limited');
    const text = 'x'.repeat(900);

    const calls = Array.from({ length: 2_000 }, (_, n) =>
      client.track({ ...SHIPPED, eventData: { n, text }, messageId: `m${n}` }),
    );
    for (let turn = 0; turn < 200; turn++) await settled();
    // Each takes about two kilobytes.
    expect(placed.count).toBeGreaterThan(400);
    expect(placed.count).toBeLessThan(600);
    await time.pass(60_000);
    await Promise.all(calls);

    expect(numbers(arrived().map(({ record }) => record))).toEqual(
      Array.from({ length: 2_000 }, (_, n) => n),
    );
  });

  test('a slot that has to pause holds back no other', async () => {
    const { client, time, relay } = serverWith();
    relay.judge.answer = ({ records }) =>
      records.some(({ userId }) => userId === 'johndoe')
        ? Response.json(
            { error: { code: 'rate_limited', message: '' } },
            { status: 429, headers: { 'Retry-After': '60' } },
          )
        : undefined;

    const waits = client.track(SHIPPED);
    const goes = client.track({ ...SHIPPED, userId: 'jane' });
    await time.pass(1_000);

    await goes;
    expect(await stateOf(waits)).toBe('waits');
    relay.judge.answer = () => undefined;
    await time.pass(72_000);
    await waits;
  });
});

describe('an answer that refuses the whole request', () => {
  const answers =
    (status: number, body: string, headers = {}) =>
    () =>
      new Response(body, { status, headers });
  const ofRelay = (code: string) => JSON.stringify({ error: { code, message: 'the reason' }, now: 1 });

  test.each([
    [401, ofRelay('invalid_token'), 'invalid_token', 'set token to the SERVER_TOKEN of this relay'],
    [400, ofRelay('unsupported_version'), 'refused', 'update the relay to the version of this package'],
    [400, ofRelay('invalid_batch'), 'refused', '(invalid_batch): the reason'],
    [404, '<h1>Not Found</h1>', 'not_a_relay', 'answered 404, but not as a relay does: check it'],
    [200, '<h1>Welcome</h1>', 'not_a_relay', 'endpoint https://t.example.com answered 200'],
    [200, '{"ok":true}', 'not_a_relay', 'answered 200'],
    [302, '', 'not_a_relay', 'set it to the address after the redirect'],
  ])(
    '%i %s: the call rejects at once, with what to do, and without the token',
    async (status, body, code, remedy) => {
      const { client, time, relay } = serverWith();
      relay.onTheWay.answer = answers(status, body);

      const reason = reasonOf(client.track(SHIPPED));
      await time.pass(200);

      expect(await reason).toEqual({ code, message: expect.stringContaining(remedy) });
      expect(JSON.stringify(await reason)).not.toContain(TOKEN);
      relay.onTheWay.answer = () => undefined;
      const later = client.track(SHIPPED);
      await time.pass(200);
      await later;
    },
  );

  test.each([408, 500, 502, 524])('%i is tried again', async (status) => {
    const { client, time, relay } = serverWith();
    relay.onTheWay.answer = answers(status, 'a proxy’s page');
    const call = client.track(SHIPPED);
    await time.pass(10_000);
    expect(await stateOf(call)).toBe('waits');

    relay.onTheWay.answer = () => undefined;
    await time.pass(30_000);

    await call;
  });

  test('a firewall that refuses one record costs no other of its batch', async () => {
    const { client, relay, arrived } = serverWith();
    relay.onTheWay.answer = (body) =>
      body.includes('DROP TABLE') ? new Response('blocked', { status: 403 }) : undefined;

    const calls = Array.from({ length: 30 }, (_, n) =>
      client.track({ ...SHIPPED, eventData: { n, Note: n === 13 ? 'DROP TABLE' : 'fine' } }),
    );
    const ends = await Promise.all([...calls.map(reasonOf), client.flush()]);

    expect(ends.filter((end) => end === 'resolved')).toHaveLength(29);
    expect(ends[13]).toMatchObject({ code: 'not_a_relay' });
    expect(numbers(arrived().map(({ record }) => record))).toEqual(
      Array.from({ length: 30 }, (_, n) => n).filter((n) => n !== 13),
    );
  });
});

describe('close', () => {
  test('sends what is left, and takes no more calls', async () => {
    const { client, arrived } = serverWith();
    const call = client.track(SHIPPED);

    await client.close();

    await call;
    expect(arrived()).toHaveLength(1);
    expect(await reasonOf(client.track(SHIPPED))).toEqual({
      code: 'closed',
      message: 'the client is closed: create another one',
    });
  });

  test('after its timeout rejects what the relay did not take, also the calls that wait for room', async () => {
    const { client, time, relay } = serverWith({ maxBufferedBytes: 1024 * 1024 });
    relay.replies.push(...Array(1_000).fill('offline'));
    const text = 'x'.repeat(900);
    const calls = Array.from({ length: 2_000 }, () =>
      reasonOf(client.track({ ...SHIPPED, eventData: { text } })),
    );

    const closed = client.close({ timeoutMs: 5_000 });
    expect(await stateOf(closed)).toBe('waits');
    await time.pass(5_000);
    await closed;

    expect(new Set((await Promise.all(calls)).map((end) => (end as { code: string }).code))).toEqual(
      new Set(['closed']),
    );
    expect(await client.close()).toBeUndefined();
  });
});

describe('waitUntil', () => {
  test('is given one promise for the calls of a task, which settles when all are settled', async () => {
    const kept: Promise<void>[] = [];
    const { client, sent, time, relay } = serverWith({ waitUntil: (promise) => kept.push(promise) });
    relay.replies.push('slow');

    for (let n = 0; n < 10; n++) void client.track({ ...SHIPPED, eventData: { n } });
    await settled();
    expect(sent().map((records) => records.length)).toEqual([10]);
    expect(kept).toHaveLength(1);
    expect(await stateOf(Promise.all(kept))).toBe('waits');
    await time.pass(3_000);
    await Promise.all(kept);
    void client.track(SHIPPED);
    await settled();

    expect(kept).toHaveLength(2);
    await kept[1];
  });

  test('settles with close(), if the relay takes nothing', async () => {
    const kept: Promise<void>[] = [];
    const { client, relay, time } = serverWith({ waitUntil: (promise) => kept.push(promise) });
    relay.replies.push(...Array(100).fill('offline'));
    void client.track(SHIPPED);

    const closed = client.close({ timeoutMs: 1_000 });
    await time.pass(1_000);

    await Promise.all([closed, ...kept]);
  });

  test('makes onError hear of a call that rejects, whose promise nobody has to handle', async () => {
    const { client, reported, relay } = serverWith({ waitUntil: () => {} });
    relay.onTheWay.answer = () => new Response('', { status: 404 });

    void client.track(SHIPPED);
    await settled();

    expect(reported).toMatchObject([{ name: 'RelayError', code: 'not_a_relay' }]);
  });
});
