import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Answer } from '../../../src/contract/answer.ts';
import { relayEnv } from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';
import { batchOf, newSession, SERVER_TOKEN, testRelay } from '../requests.ts';

const outbox = relayEnv.OUTBOX.getByName('1/0');
const PLAN = {
  events: { 'Added to Cart': { properties: { Price: 'number', Note: { type: 'string', optional: true } } } },
  user: { attributes: { Tier: 'string' } },
} as const;

let bodies: { readonly url: string; readonly body: string }[] = [];

beforeEach(() => {
  bodies = [];
  vi.stubGlobal('fetch', async (call: Request) => {
    bodies.push({ url: call.url, body: await call.text() });
    return Response.json({ response: { status: 'queued' } });
  });
});

afterEach(async () => {
  vi.unstubAllGlobals();
  await runInDurableObject(outbox, (_, { storage }) => storage.deleteAlarm());
});

const answered = async (response: Promise<Response>) => (await response).json<Answer>();

/** Sends on all that waits; what WebEngage was sent of these, by the end of its address. */
async function received(path: 'bulk-users' | 'bulk-events'): Promise<readonly object[]> {
  await vi.waitFor(
    async () => {
      await runDurableObjectAlarm(outbox);
      expect(await outbox.status()).toMatchObject({ records: 0 });
    },
    { timeout: 20_000 },
  );
  return bodies
    .filter(({ url }) => url.endsWith(path))
    .flatMap(({ body }) => JSON.parse(body)[path.replace('bulk-', '')]);
}

const user = (fields: object) => ({ kind: 'user', id: idOf(1, newSession()), ...fields });
const lenient = (...records: readonly unknown[]) => ({ ...batchOf(...records), lenient: true });

describe('the profile of an anonymous visitor', () => {
  const profile = { firstName: 'Ada', birthDate: '1990-05-17', attributes: { Tier: 'gold' } };

  test('reaches WebEngage under the anonymous id, needs no identity token, and is checked against the plan', async () => {
    const required = {
      IDENTITY: 'required',
      IDENTITY_KEY: 'a-shared-secret-of-32-bytes-long',
      TRACKING_PLAN: 'enforce',
    };
    const { post } = testRelay(required, { plan: PLAN });
    const anonymousId = crypto.randomUUID();

    const answer = await answered(post(lenient(user({ anonymousId, ...profile }))));
    const offPlan = await answered(post(lenient(user({ anonymousId, attributes: { Tier: 7 } }))));

    expect(answer).toMatchObject({ accepted: 1, rejected: [], repaired: [] });
    expect(offPlan).toMatchObject({ accepted: 0, rejected: [{ issues: [{ path: 'attributes.Tier' }] }] });
    expect(await received('bulk-users')).toEqual([
      { anonymousId, ...profile, birthDate: '1990-05-17T12:00:00+0000' },
    ]);
  });

  test('is repaired like any other, and recognized when it is repeated', async () => {
    const { post } = testRelay();
    const anonymousId = crypto.randomUUID();
    const sent = lenient(user({ anonymousId, ...profile, phone: '98765' }));

    expect(await answered(post(sent))).toMatchObject({ accepted: 1, repaired: [{ path: 'phone' }] });
    expect(await answered(post(sent))).toMatchObject({ duplicates: 1, repaired: [{ path: 'phone' }] });
    expect(await received('bulk-users')).toHaveLength(1);
  });

  test('shares a call with a user’s profile', async () => {
    const { post } = testRelay();
    const anonymousId = crypto.randomUUID();
    const userId = crypto.randomUUID();

    await post(batchOf(user({ anonymousId, firstName: 'Ada' }), user({ userId, firstName: 'Bob' })));

    expect(await received('bulk-users')).toEqual([
      { anonymousId, firstName: 'Ada' },
      { userId, firstName: 'Bob' },
    ]);
  });
});

describe('a page’s sign-in', () => {
  test('succeeds even if its profile is invalid, and later events belong to that user', async () => {
    const { post } = testRelay();
    const userId = crypto.randomUUID();
    const session = newSession();

    const answer = await answered(
      post(
        lenient(
          user({ id: idOf(1, session), userId, phone: '98765', gender: 'Female', email: 'ada@example.com' }),
          eventRecord(2, { id: idOf(2, session), userId }),
        ),
      ),
    );

    expect(answer).toMatchObject({ accepted: 2, rejected: [] });
    expect(answer.repaired).toEqual([
      { id: idOf(1, session), path: 'phone', rule: 'must be E.164, as +551155256325', done: 'left_out' },
      { id: idOf(1, session), path: 'gender', rule: 'must be male, female or other', done: 'left_out' },
    ]);
    expect(await received('bulk-users')).toEqual([{ userId, email: 'ada@example.com' }]);
    expect(await received('bulk-events')).toMatchObject([{ userId }]);
  });
});

test('a server that does not ask for leniency is refused where a page would be repaired', async () => {
  const { post } = testRelay();
  const asServer = { Origin: '', Authorization: `Bearer ${SERVER_TOKEN}` };

  expect(await answered(post(batchOf(user({ userId: 'ada', phone: '98765' })), asServer))).toMatchObject({
    accepted: 0,
    rejected: [{ issues: [{ path: 'phone' }] }],
    repaired: [],
  });
});

describe('with a tracking plan', () => {
  test('a record is repaired first and then checked against the plan', async () => {
    const { post } = testRelay({ TRACKING_PLAN: 'enforce' }, { plan: PLAN });
    const session = newSession();
    const event = (seq: number, eventData: object) => ({
      ...eventRecord(seq),
      id: idOf(seq, session),
      eventData,
    });

    const answer = await answered(
      post(
        lenient(
          event(1, { Price: 1, Note: 'x'.repeat(1_500) }),
          event(2, { Price: 1, we_x: 1 }),
          event(3, { Price: null }),
        ),
      ),
    );

    expect(answer).toMatchObject({ accepted: 2 });
    expect(answer.rejected).toMatchObject([{ id: idOf(3, session), issues: [{ path: 'eventData.Price' }] }]);
    expect(answer.repaired).toMatchObject([
      { id: idOf(1, session), path: 'eventData.Note', done: 'cut' },
      { id: idOf(2, session), path: 'eventData.we_x', done: 'left_out' },
      { id: idOf(3, session), path: 'eventData.Price', done: 'left_out' },
    ]);
    expect(await received('bulk-events')).toMatchObject([
      { eventData: { Price: 1, Note: 'x'.repeat(999) } },
      { eventData: { Price: 1 } },
    ]);
  });
});
