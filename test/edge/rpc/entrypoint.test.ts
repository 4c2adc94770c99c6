import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkCall } from '../../../src/server/call.ts';
import { deviceOf, messageRecordId, slotOf } from '../../../src/server/record-id.ts';
import { relayEnv, storedRuns } from '../../fakes/outbox.ts';
import { eventRecord, idOf, userRecord } from '../../fakes/records.ts';
import { newSession, SERVER_TOKEN, testRelay } from '../requests.ts';

// Two Workers: the one under test is the relay, and `caller.js` calls it through the bindings of vitest.config.ts.

/** What a call came to, as the other Worker saw it. */
type Seen = {
  readonly resolved?: unknown;
  readonly rejected?: {
    readonly isError: boolean;
    readonly name: string;
    readonly message: string;
    readonly code?: string;
    readonly retryable?: boolean;
  };
};

type Caller = {
  readonly call: (binding: string, method: string, ...given: readonly unknown[]) => Promise<Seen>;
  readonly together: (
    binding: string,
    calls: readonly (readonly [string, unknown])[],
  ) => Promise<readonly unknown[]>;
};

const { CALLER, OLD_CALLER } = env as unknown as { readonly CALLER: Caller; readonly OLD_CALLER: Caller };

const outbox = relayEnv.OUTBOX.getByName('1/0');

type Stored = { readonly device: string; readonly kind: string } & Readonly<Record<string, unknown>>;

/** The records that the outbox holds, in order, each with its device and kind. */
function stored(): Promise<readonly Stored[]> {
  return runInDurableObject(outbox, (_, { storage }) =>
    storedRuns(storage.sql).flatMap(({ device, kind, records }) =>
      records.map((record) => ({ device, kind, ...record })),
    ),
  );
}

/** Sends a `track` over HTTP as the client for servers does: see `place` in src/server/client.ts. */
async function asTheClient(source: string, given: object): Promise<unknown> {
  const digest = async (text: string) =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  const call = checkCall('event', given);
  const record = { id: await messageRecordId(call, digest), age: 5, ...JSON.parse(call.json) };
  const device = await deviceOf(source, slotOf(call.person), digest);
  const headers = { Origin: '', Authorization: `Bearer ${SERVER_TOKEN}` };
  return (await testRelay().post({ v: 1, device, records: [record] }, headers)).json();
}

beforeEach(async () => {
  // The call before has enrolled it.
  await CALLER.call('RELAY', 'track', { userId: 'first', eventName: 'First' });
  await runInDurableObject(outbox, async (_, { storage }) => {
    await storage.deleteAlarm();
    storage.sql.exec('DELETE FROM run_a');
  });
});

afterEach(async () => {
  vi.unstubAllGlobals();
  await runInDurableObject(outbox, (_, { storage }) => storage.deleteAlarm());
});

describe('another Worker', () => {
  test('tracks and identifies, and a Date arrives in WebEngage’s format', async () => {
    const eventTime = new Date('2026-11-23T15:45:00.999Z');
    const attributes = { Since: new Date('2020-02-29T00:00:00Z'), Sizes: [1, 2] };

    expect(
      await CALLER.call('RELAY', 'identify', { userId: 'johndoe', email: 'john@doe.com', attributes }),
    ).toEqual({ resolved: undefined });
    expect(
      await CALLER.call('RELAY', 'track', {
        anonymousId: 'visitor-1',
        eventName: 'Order Paid',
        eventTime,
        eventData: { Total: 39.8 },
      }),
    ).toEqual({ resolved: undefined });

    expect(await stored()).toMatchObject([
      {
        kind: 'user',
        userId: 'johndoe',
        email: 'john@doe.com',
        attributes: { Since: '2020-02-29T00:00:00+0000', Sizes: [1, 2] },
      },
      {
        kind: 'event',
        anonymousId: 'visitor-1',
        eventName: 'Order Paid',
        eventTime: '2026-11-23T15:45:00+0000',
        eventData: { Total: 39.8 },
      },
    ]);
  });

  test('gives no time: then the event has that of the call', async () => {
    await CALLER.call('RELAY', 'track', { userId: 'johndoe', eventName: 'Order Paid' });

    const [{ eventTime = '' } = {}] = (await stored()) as readonly { eventTime?: string }[];
    const at = Date.parse(eventTime.replace(/(\d\d)(\d\d)$/, '$1:$2'));
    expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
  });

  test('has its records delivered to WebEngage', async () => {
    const bodies: string[] = [];
    vi.stubGlobal('fetch', async (call: Request) => {
      bodies.push(await call.text());
      return Response.json({ response: { status: 'queued' } });
    });

    await CALLER.call('RELAY', 'track', { userId: 'johndoe', eventName: 'Order Shipped' });

    await vi.waitFor(
      async () => {
        await runDurableObjectAlarm(outbox);
        expect(bodies.join()).toContain('Order Shipped');
      },
      { timeout: 10_000 },
    );
  });

  test('makes calls at once, and each of them is stored', async () => {
    const calls = Array.from(
      { length: 40 },
      (_, n) => ['track', { userId: `user-${n}`, eventName: 'Order Paid', eventData: { n } }] as const,
    );

    expect(await CALLER.together('RELAY', calls)).toEqual(Array(40).fill(undefined));

    const records = await stored();
    expect(records.map(({ userId }) => userId).toSorted()).toEqual(
      calls.map(([, { userId }]) => userId).toSorted(),
    );
    expect(new Set(records.map(({ id }) => id)).size).toBe(40);
    // The slots of the client for servers.
    const devices = new Set(records.map(({ device }) => device)).size;
    expect(devices).toBeGreaterThan(8);
    expect(devices).toBeLessThanOrEqual(16);
  });

  test('makes calls about one person one after the other, and they are stored in that order on one device', async () => {
    const calls = Array.from({ length: 12 }, (_, n) => ({
      userId: 'johndoe',
      messageId: n % 3 === 0 ? undefined : `order-${n}`,
      ...(n % 4 === 0 ? { company: `${n}` } : { eventName: `${n}` }),
    }));

    for (const call of calls) await CALLER.call('RELAY', 'eventName' in call ? 'track' : 'identify', call);

    const records = await stored();
    expect(records.map(({ eventName, company }) => eventName ?? company)).toEqual(
      calls.map((_, n) => `${n}`),
    );
    expect(new Set(records.map(({ device }) => device)).size).toBe(1);
  });

  test('repeats a call with a messageId, and so does a server with the client: it is one record', async () => {
    const call = { userId: 'johndoe', eventName: 'Order Paid', messageId: 'order-1337-paid' };

    await CALLER.call('RELAY', 'track', call);
    await CALLER.call('RELAY', 'track', { ...call, eventData: { Total: 1 } });
    const answer = await asTheClient('default', call);

    expect(answer).toMatchObject({ accepted: 0, duplicates: 1, rejected: [] });
    expect(await stored()).toMatchObject([{ eventName: 'Order Paid' }]);
  });

  test('has records of its own for the same messageId under another source', async () => {
    const call = { userId: 'johndoe', eventName: 'Order Paid', messageId: 'order-1338-paid' };

    for (const binding of ['RELAY', 'NAMED']) await CALLER.call(binding, 'track', call);

    const records = await stored();
    expect(records).toHaveLength(2);
    expect(records[0]?.device).not.toBe(records[1]?.device);
  });
});

describe('a call that breaks a rule rejects with field and rule', () => {
  const CALLS: readonly (readonly [string, string, unknown, string])[] = [
    [
      'without a person',
      'track',
      { eventName: 'Paid' },
      'userId is required, unless there is an anonymousId',
    ],
    [
      'with a reserved name',
      'track',
      { userId: 'j', eventName: 'we_paid' },
      'eventName must not start with we_',
    ],
    ['with a wrong phone', 'identify', { userId: 'j', phone: '98765' }, 'phone must be E.164'],
    ['with an unknown field', 'track', { userId: 'j', eventName: 'Paid', total: 1 }, 'total is not a field'],
    ['with an id', 'track', { userId: 'j', eventName: 'Paid', id: 'x' }, 'id is set by the client'],
    ['with an empty messageId', 'identify', { userId: 'j', messageId: '' }, 'messageId must'],
    ['with null', 'track', { userId: 'j', eventName: 'Paid', eventData: { a: null } }, 'eventData.a must be'],
    [
      'with a Map',
      'track',
      { userId: 'j', eventName: 'Paid', eventData: { a: new Map() } },
      'eventData.a must',
    ],
    ['with nothing', 'track', undefined, 'eventName'],
    ['with text', 'identify', 'johndoe', 'the call must be an object'],
  ];

  test.each(CALLS)('%s', async (_, method, given, message) => {
    const { rejected } = await CALLER.call('RELAY', method, given);

    expect(rejected).toMatchObject({ isError: true, name: 'RecordError' });
    expect(rejected?.message).toContain(message);
    expect(await stored()).toEqual([]);
  });

  test('also to a Worker of an earlier compatibility date', async () => {
    const { rejected } = await OLD_CALLER.call('RELAY', 'track', { userId: 'j', eventName: 'we_paid' });

    expect(rejected).toMatchObject({
      isError: true,
      message: 'RecordError: eventName must not start with we_',
    });
  });
});

describe('a batch', () => {
  const records = (...people: readonly string[]) => {
    const session = newSession();
    return people.map((userId, n) => eventRecord(n + 1, { id: idOf(n + 1, session), userId }));
  };

  test('is answered as /v1/batch does: a bad record alone is rejected, by its place in the list', async () => {
    const [first, second, third] = records('a', 'b', 'c');
    const bad = { ...second, eventName: 'we_own' };
    const when = { ...third, eventTime: new Date('2026-11-23T15:45:00Z') };

    const { resolved } = await CALLER.call('RELAY', 'batch', [first, bad, when, 7]);

    expect(resolved).toEqual({
      response: { status: 'queued' },
      accepted: 2,
      duplicates: 0,
      rejected: [
        { id: second?.id, issues: [{ path: 'eventName', message: expect.stringContaining('we_') }] },
        { id: 'records[3]', issues: [expect.anything()] },
      ],
      repaired: [],
      now: expect.any(Number),
    });
    expect(await stored()).toMatchObject([
      { userId: 'a' },
      { userId: 'c', eventTime: '2026-11-23T15:45:00+0000' },
    ]);
    expect(await CALLER.call('RELAY', 'batch', [first, when])).toMatchObject({
      resolved: { accepted: 0, duplicates: 2 },
    });
  });

  test('of records goes to the devices of their people, where a track follows it', async () => {
    const people = Array.from({ length: 30 }, (_, n) => `user-${n}`);

    await CALLER.call('RELAY', 'batch', records(...people));
    for (const userId of people) await CALLER.call('RELAY', 'track', { userId, eventName: 'After' });

    const ofPerson = Map.groupBy(await stored(), ({ userId }) => userId);
    expect([...ofPerson.keys()].toSorted()).toEqual(people.toSorted());
    for (const [, [before, after]] of ofPerson) {
      expect(before?.eventName).toBe('Added to Cart');
      expect(after).toMatchObject({ eventName: 'After', device: before?.device });
    }
  });

  test('with an envelope goes to the device it names', async () => {
    const device = crypto.randomUUID();
    const session = newSession();
    const sent = [userRecord(1, { id: idOf(1, session) }), eventRecord(2, { id: idOf(2, session) })];

    expect(
      await CALLER.call('RELAY', 'batch', { v: 1, device: device.toUpperCase(), records: sent }),
    ).toMatchObject({ resolved: { accepted: 2 } });

    expect((await stored()).map((record) => record.device)).toEqual([device, device]);
  });

  test('has 1 to 400 records', async () => {
    const most = records(...Array.from({ length: 400 }, (_, n) => `user-${n % 50}`));
    const tiny = most.map(({ kind, id, userId }) => ({ kind, id, userId, eventName: 'Seen' }));

    expect(await CALLER.call('RELAY', 'batch', tiny)).toMatchObject({ resolved: { accepted: 400 } });
    for (const wrong of [[], [...tiny, tiny[0]]])
      expect(await CALLER.call('RELAY', 'batch', wrong)).toMatchObject({
        rejected: { name: 'RelayError', message: 'records must hold 1 to 400 records' },
      });
  });

  const loop: { self?: unknown } = {};
  loop.self = loop;

  test.each([
    ['text', 'records', 'must be a list of records'],
    ['nothing', undefined, 'must be a list of records'],
    ['no records', { v: 1, device: crypto.randomUUID() }, 'records must hold 1 to 400 records'],
    ['a wrong device', { v: 1, device: 'me', records: [1] }, 'device must be a UUID'],
    ['another version', { v: 2, device: 'me', records: [1] }, 'unsupported_version'],
    ['a wrong lane', { v: 1, device: crypto.randomUUID(), lane: 'live', records: [1] }, 'lane must be'],
    ['too many bytes', ['x'.repeat(140_000)], 'must be at most 131072 bytes'],
    ['an envelope within itself', { v: 1, loop, records: [1] }, 'must be plain data'],
  ])('is refused as a whole with %s', async (_, given, message) => {
    const { rejected } = await CALLER.call('RELAY', 'batch', given);

    expect(rejected).toMatchObject({ isError: true, name: 'RelayError', code: 'refused' });
    expect(rejected?.message).toContain(message);
  });

  test.each([
    ['a record within itself', { loop }],
    ['a bigint', { eventData: { a: 1n } }],
    ['a Map', { eventData: { a: new Map([[1, 2]]) } }],
    ['bytes', { eventData: { a: new Uint8Array(3) } }],
    ['NaN', { eventData: { a: Number.NaN } }],
    ['an invalid date', { eventTime: new Date(Number.NaN) }],
  ])('loses one record to %s, and no other', async (_, wrong) => {
    const [bad, good] = records('a', 'b');

    expect(await CALLER.call('RELAY', 'batch', [{ ...bad, ...wrong }, good])).toMatchObject({
      resolved: { accepted: 1, rejected: [{ issues: [expect.anything()] }] },
    });
  });
});

describe('the binding’s props', () => {
  test('are checked at each call, and named without their value', async () => {
    for (const [method, given] of [
      ['track', { userId: 'j', eventName: 'Paid' }],
      ['identify', { userId: 'j' }],
      ['batch', [eventRecord(1)]],
    ] as const)
      expect(await CALLER.call('WRONG', method, given)).toMatchObject({
        rejected: {
          name: 'RelayError',
          message: "the binding of this Worker is wrong: props.naem is not a field of a binding's props",
        },
      });
  });
});
