import { describe, expect, test } from 'vitest';
import type { ControlOrder } from '../../src/sandbox/control.ts';
import { FAKE_KEY, fakeAccount } from '../fakes/account.ts';

const REQUEST = {
  subject_request_id: 'a-new-id',
  subject_request_type: 'portability',
  subject_identities: [{ identity_type: 'cuid', identity_value: 'johndoe' }],
};

function accountWith(order: ControlOrder) {
  const account = fakeAccount(
    order,
    () => 0,
    () => 0,
  );
  const send = (kind: 'user' | 'event', ...records: readonly object[]) =>
    account.call({ kind, requestId: String(Math.random()), body: JSON.stringify({ [`${kind}s`]: records }) });
  send('user', { userId: 'johndoe', firstName: 'John', attributes: { Age: 31, City: 'Bonn', we_age: 31 } });
  send(
    'user',
    { userId: 'johndoe', lastName: 'Doe', attributes: { Age: 32 } },
    { userId: 'ada', email: 'ada@x.example' },
  );
  send('event', { userId: 'johndoe', eventName: 'Clicked' });
  return account;
}

function answerTo(order: ControlOrder = {}, request: object = REQUEST, key = FAKE_KEY) {
  const { status, body } = accountWith(order).privacyRequest({ body: JSON.stringify(request), key });
  return { status, json: JSON.parse(body) };
}

test('an erasure request is answered with a receipt, and removes that user alone', () => {
  const account = accountWith({});
  const send = (type: string, userId: string) => {
    const identity = { identity_type: 'cuid', identity_value: userId };
    const request = { ...REQUEST, subject_request_type: type, subject_identities: [identity] };
    const { status, body } = account.privacyRequest({ body: JSON.stringify(request) });
    return { status, json: JSON.parse(body) };
  };

  expect(send('erasure', 'johndoe')).toMatchObject({
    status: 201,
    json: { subject_request_id: 'a-new-id', expected_completion_time: expect.any(String) },
  });
  expect(send('portability', 'johndoe').json.response.data.user).toEqual({ attributes: {} });
  expect(send('portability', 'ada').json.response.data.user).toMatchObject({ email: 'ada@x.example' });
});

describe('a portability request', () => {
  test('shows the latest profile of that user alone, without dropped values', () => {
    expect(answerTo()).toEqual({
      status: 201,
      json: {
        response: {
          status: 'success',
          data: {
            user: {
              userId: 'johndoe',
              firstName: 'John',
              lastName: 'Doe',
              attributes: { Age: 32, City: 'Bonn' },
            },
          },
        },
      },
    });
  });

  test('may have the events too', () => {
    expect(answerTo({ portability: 'profile_and_events' }).json.response.data.events).toEqual([
      { userId: 'johndoe', eventName: 'Clicked' },
    ]);
  });

  test('may be received alone', () => {
    expect(answerTo({ portability: 'receipt' }).json).toEqual({
      subject_request_id: 'a-new-id',
      received_time: expect.any(String),
      expected_completion_time: expect.any(String),
    });
  });

  test('has no ignored opt-in', () => {
    const account = accountWith({ rcsOptIn: 'ignored' });
    account.call({
      kind: 'user',
      requestId: 'a',
      body: '{"users":[{"userId":"johndoe","rcsOptIn":true,"smsOptIn":true}]}',
    });

    const { body } = account.privacyRequest({ body: JSON.stringify(REQUEST) });

    expect(body).toContain('"smsOptIn":true');
    expect(body).not.toContain('rcsOptIn');
  });

  test.each([
    ['as ordered', 403, { portability: 'refused' }, REQUEST, FAKE_KEY],
    ['with a wrong key', 401, {}, REQUEST, 'another-key'],
    ['of another type', 400, {}, { ...REQUEST, subject_request_type: 'restriction' }, FAKE_KEY],
    ['without a user', 400, {}, { ...REQUEST, subject_identities: [] }, FAKE_KEY],
    ['while WebEngage is down', 503, { fault: 'down' }, REQUEST, FAKE_KEY],
  ] as const)('is refused %s', (_, status, order, request, key) => {
    expect(answerTo(order, request, key).status).toBe(status);
  });
});
