import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Delivery, Receipt } from '../../../src/edge/queue/ingest.ts';
import { callTaker, type RpcPlatform } from '../../../src/edge/rpc/take-calls.ts';
import {
  addObservations,
  answeredIn,
  NOTHING_OBSERVED,
  type Observations,
} from '../../../src/edge/telemetry/observations.ts';
import type { Env } from '../../../src/edge/worker.ts';
import { parsePlan } from '../../../src/plan/plan.ts';
import { relayEnv } from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T15:45:00Z');

const PAID = { userId: 'johndoe', eventName: 'Order Paid' };
const STORED: Receipt = { stored: true, accepted: 1, duplicates: 0 };

afterEach(() => {
  vi.restoreAllMocks();
});

/** A platform whose time passes only while a call sleeps. */
function testPlatform() {
  const slept: number[] = [];
  let now = NOW;
  const platform: RpcPlatform = {
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
    random: () => 0,
    bytes: (count) => new Uint8Array(count),
    digest: async (text) =>
      new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))),
  };
  return { platform, slept };
}

/** A relay whose outbox has a script of receipts and faults, and stores everything after those. */
function scripted(...script: (Receipt | Error)[]) {
  const { platform, slept } = testPlatform();
  const taken: Delivery[] = [];
  const observed: (Observations | undefined)[] = [];
  const ingest = async (_: string, delivery: Delivery, seen?: Observations) => {
    taken.push(delivery);
    observed.push(seen);
    const next = script.shift() ?? STORED;
    if (next instanceof Error) throw next;
    return next;
  };
  const reported: Observations[] = [];
  const observe = async (seen: Observations) => void reported.push(seen);
  const ports = { OUTBOX: { getByName: () => ({ ingest }) }, RATE_GATE: { getByName: () => ({ observe }) } };
  const env = { ...relayEnv, ...(ports as unknown as Partial<Env>) };
  const taker = callTaker(undefined, platform);
  const from = (props: unknown = {}, more: Partial<Env> = {}) => caller({ ...env, ...more }, props);
  return { ...taker, from, taken, observed, reported, slept };
}

/** What is begun goes on by itself. */
const caller = (env: Env, props: unknown = {}) => ({ env, ctx: { props, waitUntil: () => {} } });

const idsOf = (taken: readonly Delivery[]) => taken.flatMap(({ runs }) => runs.flatMap(({ ids }) => ids));

describe('a call', () => {
  test('goes in the lane of servers under the name worker, or as the props say', async () => {
    const { takeCall, takeBatch, from, taken } = scripted();
    const props = { name: 'erp', lane: 'import' };

    await takeCall(from(undefined), 'event', PAID);
    await takeCall(from(props), 'event', PAID);
    await takeBatch(from(props), [eventRecord(1)]);
    const envelope = { v: 1, device: crypto.randomUUID(), lane: 'server', records: [eventRecord(2)] };
    await takeBatch(from(props), envelope);

    expect(taken.map(({ lane, sender, network }) => [lane, sender, network])).toEqual([
      ['server', 'worker', undefined],
      ['import', 'erp', undefined],
      ['import', 'erp', undefined],
      // What an envelope says counts for it alone.
      ['server', 'erp', undefined],
    ]);
  });

  test('has an id of its own without a messageId, and the same one with it', async () => {
    const { takeCall, from, taken } = scripted();

    for (const messageId of [undefined, undefined, 'order-1', 'order-1', 'order-2'])
      await takeCall(from(), 'event', { ...PAID, messageId });

    const [first, second, third, fourth, fifth] = idsOf(taken);
    expect(new Set([first, second, third, fifth]).size).toBe(4);
    expect(fourth).toBe(third);
  });

  test.each([
    [{ name: '' }, 'props.name must be'],
    [{ name: 'with space' }, 'props.name must be'],
    [{ lane: 'live' }, 'props.lane must be server or import'],
    [{ source: '' }, 'props.source must be text'],
    ['erp', 'props must be an object'],
  ])('rejects with the props %j', async (props, message) => {
    const { takeCall, from, taken } = scripted();

    await expect(takeCall(from(props), 'event', PAID)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(message),
    });
    expect(taken).toEqual([]);
  });

  test('rejects with what to set, if a setting of the relay is wrong', async () => {
    const { takeCall, from } = scripted();
    const rejected = (more: object) => expect(takeCall(from({}, more), 'event', PAID)).rejects;

    await rejected({ WEBENGAGE_LICENSE_CODE: '' }).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the relay is not set up: WEBENGAGE_LICENSE_CODE must be set'),
    });
    await rejected({ TRACKING_PLAN: 'enforce' }).toMatchObject({
      message: expect.stringContaining('there is no tracking plan'),
    });
  });

  test('is held against the tracking plan', async () => {
    const parsed = parsePlan({ events: { 'Order Paid': {} } });
    if (!parsed.ok) throw new Error('the plan is wrong');
    const { platform } = testPlatform();
    const { takeCall } = callTaker(parsed.plan, platform);
    const env = { ...relayEnv, TRACKING_PLAN: 'enforce' };

    await takeCall(caller(env), 'event', PAID);
    const unplanned = takeCall(caller(env), 'event', { ...PAID, eventName: 'Order Piad' });

    await expect(unplanned).rejects.toMatchObject({
      name: 'RecordError',
      issues: [{ path: 'eventName', message: expect.anything() }],
    });
  });
});

const full: Receipt = { stored: false };
const behind = (retryInMs: number): Receipt => ({ stored: false, retryInMs });

describe('while the outbox stores nothing', () => {
  test('a call tries again with the same id, and resolves once it is stored', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const { takeCall, from, taken, slept } = scripted(behind(700), new Error('restarting'), behind(900));

    await takeCall(from(), 'event', PAID);

    expect(slept).toEqual([700, 500, 900]);
    expect(taken).toHaveLength(4);
    expect(new Set(idsOf(taken)).size).toBe(1);
  });

  test('an event keeps the time of its call', async () => {
    const { takeCall, from, taken } = scripted(behind(5_000));

    await takeCall(from(), 'event', PAID);

    for (const { runs } of taken)
      expect(JSON.parse(runs[0]?.records ?? '')).toMatchObject([{ eventTime: '2026-11-23T15:45:00+0000' }]);
  });

  test('a full outbox is asked again only every few seconds', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { takeCall, from, taken, slept } = scripted(full);

    await takeCall(from(), 'event', PAID);

    expect(taken).toHaveLength(2);
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(5_000);
    expect(slept.length).toBeGreaterThan(2);
  });

  test.each([
    ['is full', Array<Receipt>(10).fill(full)],
    ['is behind', [behind(60_000)]],
    ["can't reach its outbox", Array<Error>(10).fill(new Error('down'))],
  ])(
    'a call rejects within 10 seconds, and says that the relay %s and that a retry may help',
    async (reason, script) => {
      vi.spyOn(console, 'error').mockImplementation(() => {});
      vi.spyOn(console, 'warn').mockImplementation(() => {});
      const { takeCall, from, slept } = scripted(...script);

      const call = takeCall(from(), 'event', PAID);

      await expect(call).rejects.toMatchObject({
        name: 'RelayError',
        code: 'unavailable',
        retryable: true,
        message: expect.stringMatching(
          new RegExp(`^the relay ${reason} .*: call again, in \\d+ s or later$`),
        ),
      });
      expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(10_000);
    },
  );

  test('the log names the Worker, once a minute', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { takeCall, takeBatch, from } = scripted(behind(1), behind(1));

    await takeCall(from({ name: 'erp' }), 'event', PAID);
    await takeBatch(from({ name: 'crm' }), [eventRecord(1, { id: idOf(1), eventName: 'we_own' })]);

    expect(warned.mock.calls.flat()).toEqual([
      '{"event":"server_refused","sender":"erp","limited":1}',
      '{"event":"server_refused","sender":"crm","rejected":1}',
    ]);
  });
});

describe('for the metrics', () => {
  const sum = (seen: readonly (Observations | undefined)[]) =>
    seen.map((each) => each ?? NOTHING_OBSERVED).reduce(addObservations, NOTHING_OBSERVED);

  test('each call is a batch, and the time that it took goes along with the next one', async () => {
    const { takeCall, takeBatch, from, observed, reported } = scripted(behind(700));

    await takeCall(from(), 'event', PAID);
    await takeBatch(from(), [eventRecord(1), eventRecord(2)]);
    await takeCall(from(), 'user', { userId: 'johndoe' });

    expect(observed[0]).toBeUndefined();
    expect(sum(observed)).toEqual(addObservations(answeredIn(700), answeredIn(0)));
    expect(reported).toEqual([]);
  });

  test('a record that breaks a rule does not make its call a refused one', async () => {
    const { takeCall, from, observed } = scripted();

    await expect(takeCall(from(), 'event', { userId: 'johndoe' })).rejects.toThrow('eventName');
    await takeCall(from(), 'event', PAID);

    expect(sum(observed)).toEqual(answeredIn(0));
  });

  test.each<[reason: string, outcome: string, script: (Receipt | Error)[]]>([
    ['unavailable', 'is full', Array<Receipt>(10).fill(full)],
    ['unavailable', 'can’t be reached', Array<Error>(10).fill(new Error('down'))],
    ['rate_limited', 'is behind', [behind(60_000)]],
  ])(
    'a call is refused as %s if the outbox %s, and the gate learns of it at once',
    async (reason, _, script) => {
      vi.spyOn(console, 'error').mockImplementation(() => {});
      vi.spyOn(console, 'warn').mockImplementation(() => {});
      const { takeCall, from, reported } = scripted(...script);

      await expect(takeCall(from(), 'event', PAID)).rejects.toMatchObject({ code: 'unavailable' });

      expect(reported).toEqual([{ ...NOTHING_OBSERVED, refused: { [reason]: 1 } }]);
    },
  );

  test('a batch that breaks the protocol is refused as invalid_batch', async () => {
    const { takeBatch, from, reported } = scripted();

    await expect(takeBatch(from(), [])).rejects.toMatchObject({ code: 'refused' });

    expect(reported).toEqual([{ ...NOTHING_OBSERVED, refused: { invalid_batch: 1 } }]);
  });

  test('nothing is observed without a METRICS_TOKEN', async () => {
    const { takeCall, takeBatch, from, observed, reported } = scripted();

    await takeCall(from({}, { METRICS_TOKEN: '' }), 'event', PAID);
    await expect(takeBatch(from({}, { METRICS_TOKEN: '' }), [])).rejects.toThrow();
    await takeCall(from({}, { METRICS_TOKEN: '' }), 'event', PAID);

    expect(observed).toEqual([undefined, undefined]);
    expect(reported).toEqual([]);
  });
});
