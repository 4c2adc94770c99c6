import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Answer } from '../../../src/contract/answer.ts';
import { enforcePlan } from '../../../src/edge/http/enforce-plan.ts';
import type { RelayStatus } from '../../../src/edge/operator/relay-status.ts';
import { createRelay, type Env } from '../../../src/edge/worker.ts';
import { parsePlan } from '../../../src/plan/plan.ts';
import { relayEnv } from '../../fakes/outbox.ts';
import { ADDED_TO_CART, eventRecord, idOf, userRecord } from '../../fakes/records.ts';
import { everythingIn, loggedLines } from '../logs-and-storage.ts';
import { batchOf, newSession, OPERATOR, testRelay } from '../requests.ts';

const PLAN = {
  events: {
    'Added to Cart': {
      properties: {
        'Product ID': 'number',
        Price: 'number',
        Quantity: 'number',
        Product: 'string',
        Category: 'string',
        Currency: { type: 'string', values: ['EUR', 'USD'] },
      },
    },
    'Signed Out': {},
  },
  user: {
    attributes: {
      Age: 'string',
      'Twitter username': 'string',
      'Dollars spent': 'number',
      'Points earned': 'number',
    },
  },
} as const;

afterEach(() => {
  vi.restoreAllMocks();
});

const planned = (mode?: string) =>
  testRelay(mode === undefined ? {} : { TRACKING_PLAN: mode }, { plan: PLAN });

/** One of each: as planned, with a price of another type, a user as planned, and an event that is in no plan. */
function someRecords(name: string) {
  const session = newSession();
  return [
    eventRecord(1, { id: idOf(1, session) }),
    eventRecord(2, { id: idOf(2, session), eventData: { ...ADDED_TO_CART.eventData, Price: '39.8' } }),
    userRecord(3, { id: idOf(3, session) }),
    eventRecord(4, { id: idOf(4, session), eventName: name }),
  ];
}

const answered = async (response: Promise<Response>) => (await response).json<Answer>();

async function statusOf({ request }: ReturnType<typeof testRelay>): Promise<RelayStatus> {
  return (await request('/admin/status', { headers: OPERATOR })).json<RelayStatus>();
}

async function kindsOf(relay: ReturnType<typeof testRelay>, name: string) {
  const { trackingPlan } = await statusOf(relay);
  return trackingPlan?.kinds.filter(({ of }) => of === name);
}

describe('records that violate the plan', () => {
  test.each(['report', undefined])('are accepted and reported with TRACKING_PLAN = %s', async (mode) => {
    const relay = planned(mode);
    const name = `Opened ${crypto.randomUUID()}`;

    const answer = await answered(relay.post(batchOf(...someRecords(name))));

    expect(answer).toMatchObject({ accepted: 4, rejected: [] });
    expect((await statusOf(relay)).trackingPlan?.mode).toBe('report');
    expect(await kindsOf(relay, name)).toEqual([
      {
        of: name,
        path: 'eventName',
        rule: 'is not in the tracking plan',
        count: 1,
        lastAt: expect.any(Number),
      },
    ]);
    expect(await kindsOf(relay, 'Added to Cart')).toMatchObject([
      { path: 'eventData.Price', rule: 'must be of type number by the tracking plan, not string' },
    ]);
  });

  test('are refused one by one under enforce, with field and rule, while their neighbours are accepted', async () => {
    const relay = planned('enforce');
    const name = `Opened ${crypto.randomUUID()}`;
    const records = someRecords(name);
    const before = (await statusOf(relay)).totals.rejected ?? 0;

    const answer = await answered(relay.post(batchOf(...records)));

    expect(answer).toMatchObject({ accepted: 2, duplicates: 0 });
    expect(answer.rejected).toEqual([
      {
        id: records[1]?.id,
        issues: [
          { path: 'eventData.Price', message: 'must be of type number by the tracking plan, not string' },
        ],
      },
      { id: records[3]?.id, issues: [{ path: 'eventName', message: 'is not in the tracking plan' }] },
    ]);
    expect(await everythingIn(relayEnv.OUTBOX.getByName('1/0'))).not.toContain(records[1]?.id);
    expect(await kindsOf(relay, name)).toMatchObject([{ count: 1 }]);
    const { trackingPlan, totals } = await statusOf(relay);
    expect(trackingPlan?.mode).toBe('enforce');
    expect(totals.rejected).toBe(before + 2);
  });

  test('are treated like others if the plan is off', async () => {
    const relay = planned('off');
    const name = `Opened ${crypto.randomUUID()}`;

    expect(await answered(relay.post(batchOf(...someRecords(name))))).toMatchObject({
      accepted: 4,
      rejected: [],
    });
    expect(await kindsOf(relay, name)).toEqual([]);
    expect((await statusOf(relay)).trackingPlan?.mode).toBe('off');
  });

  test('are not counted for an unverified user, who may not write', async () => {
    const IDENTITY = { IDENTITY: 'required', IDENTITY_KEY: 'a-shared-secret-of-32-bytes-or-more!' };
    const relay = testRelay({ TRACKING_PLAN: 'enforce', ...IDENTITY }, { plan: PLAN });
    const name = `Opened ${crypto.randomUUID()}`;

    expect((await relay.post(batchOf(...someRecords(name)))).status).toBe(401);
    expect(await kindsOf(relay, name)).toEqual([]);
  });

  test('make a log line with the kinds of violation, without any name that was sent', async () => {
    const lines = loggedLines();
    const relay = planned('report');

    await relay.post(batchOf(...someRecords('Called by john@doe.com')));
    await relay.post(batchOf(...someRecords('Called by john@doe.com')));

    expect(lines().match(/off_plan[^}]*/g)).toEqual(['off_plan\\",\\"type\\":1,\\"unknown_event\\":1']);
    expect(lines()).not.toContain('john');
  });

  test('are reported with invisible characters written out', async () => {
    const relay = planned();
    const name = `Opened \u202e${crypto.randomUUID()}`;
    await relay.post(batchOf(...someRecords(name)));

    const status = await (await relay.request('/admin/status', { headers: OPERATOR })).text();

    expect(status).toContain('Opened \\u202e');
    expect(status).not.toContain('\u202e');
  });
});

describe('one request', () => {
  const parsed = parsePlan(PLAN);
  const plan = parsed.ok ? parsed.plan : undefined;
  const many = Array.from({ length: 400 }, (_, n) =>
    eventRecord(n + 1, {
      eventName: `Opened ${n % 60}`,
      eventData: { n },
    }),
  );

  test('reports no more kinds than the relay stores of a request, and the rest as others', () => {
    const { violations, breaches } = enforcePlan(many, plan, 'report');

    expect(violations?.kinds).toHaveLength(50);
    expect(violations?.kinds[0]?.ids).toHaveLength(7);
    const inKinds = violations?.kinds.flatMap(({ ids }) => ids).length ?? 0;
    expect(inKinds + (violations?.others ?? 0)).toBe(400);
    expect(breaches).toEqual({ unknown_event: 400 });
  });

  test('gets an answer that is not many times its own size', () => {
    const wrong = many.map((record) => ({
      ...record,
      eventName: 'Signed Out',
      eventData: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`n${n}`, 1])),
    }));

    const { rejected } = enforcePlan(wrong, plan, 'enforce');

    expect(rejected).toHaveLength(400);
    expect(rejected[0]?.issues).toHaveLength(10);
    expect(rejected.at(-1)?.issues).toHaveLength(1);
  });

  test('without violations is passed on unchanged', () => {
    const good = [eventRecord(1), userRecord(2)];

    expect(enforcePlan(good, plan, 'enforce')).toEqual({
      kept: good,
      rejected: [],
      violations: undefined,
      breaches: {},
    });
  });
});

describe('a relay without a plan', () => {
  test('has no violations to report', async () => {
    expect((await statusOf(testRelay())).trackingPlan).toBeNull();
    expect((await statusOf(testRelay({ TRACKING_PLAN: 'off' }))).trackingPlan).toBeNull();
  });

  test.each(['report', 'enforce'])('says at /health that it can’t %s', async (TRACKING_PLAN) => {
    const { request } = testRelay({ TRACKING_PLAN } as Partial<Env>);

    const answer = await request('/health');

    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain(`TRACKING_PLAN is ${TRACKING_PLAN}, but there is no tracking plan`);
  });
});

test('an invalid plan makes no relay, and the error names path and rule', () => {
  const plan = { events: { we_x: {}, Bought: { properties: { Price: 'money' } } } };

  expect(() => createRelay({ plan })).toThrow(
    /invalid tracking plan: events\.we_x has a name that must not start with we_; events\.Bought\.properties\.Price must be string/,
  );
});
