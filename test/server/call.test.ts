import { describe, expect, expectTypeOf, test } from 'vitest';
import { checkCall } from '../../src/server/call.ts';
import { createServerClient, type ServerEvent } from '../../src/server/index.ts';
import { RecordError } from '../../src/tracker/record/capture.ts';

const messageOf = (kind: 'user' | 'event', call: unknown) => {
  try {
    checkCall(kind, call);
  } catch (error) {
    expect(error).toBeInstanceOf(RecordError);
    return (error as RecordError).message;
  }
  return 'valid';
};

const EVENT = { userId: 'johndoe', eventName: 'Order Shipped' };
const circular: { self?: object } = {};
circular.self = circular;

describe('a call that breaks a rule rejects with field, rule and remedy', () => {
  test.each([
    [{ eventName: 'Order Shipped' }, 'userId is required, unless there is an anonymousId'],
    [{ ...EVENT, userId: 42 }, 'userId must be well-formed text of 1 to 100 characters'],
    [{ ...EVENT, userId: '' }, 'userId must be well-formed text of 1 to 100 characters'],
    [{ userId: 'johndoe' }, 'eventName must be well-formed text of 1 to 49 characters'],
    [{ ...EVENT, eventName: 'we_order' }, 'eventName must not start with we_'],
    [
      { ...EVENT, eventTime: '2026-11-23T15:45:00Z' },
      'eventTime must be a date as yyyy-MM-ddTHH:mm:ss±hhmm: pass a Date, or text such as 2026-11-23T15:45:00+0100',
    ],
    [
      { ...EVENT, eventTime: new Date('x') },
      'eventTime must be a string, finite number, boolean, valid date, array or plain object: pass a Date, or text such as 2026-11-23T15:45:00+0100',
    ],
    [
      { ...EVENT, eventData: { Total: Number.NaN } },
      'eventData.Total must be a string, finite number, boolean, valid date, array or plain object',
    ],
    [
      { ...EVENT, eventData: { Coupon: null } },
      'eventData.Coupon must be a string, finite number, boolean, valid date, array or plain object',
    ],
    [
      { ...EVENT, eventData: { Total: 10n, Lines: new Map() } },
      'eventData.Total must be a string, finite number, boolean, valid date, array or plain object; eventData.Lines must be a string, finite number, boolean, valid date, array or plain object',
    ],
    [
      { ...EVENT, eventData: circular },
      'eventData.self must hold at most 2000 values, 16 levels and 45000 bytes',
    ],
    [{ ...EVENT, eventData: { Note: 'x'.repeat(1_000) } }, 'eventData.Note must have at most 999 characters'],
    [{ ...EVENT, eventData: 'Total: 1' }, 'eventData must be an object'],
    [
      { ...EVENT, eventData: { [`Total ${'x'.repeat(44)}`]: 1 } },
      `eventData.Total ${'x'.repeat(44)} has a name that must be well-formed text of 1 to 49 characters`,
    ],
    [
      { ...EVENT, properties: { Total: 1 } },
      'properties is not a field of an event: put your own attributes into eventData',
    ],
    [
      { ...EVENT, id: 'x', age: 1 },
      'id is set by the client: leave it out; age is set by the client: leave it out',
    ],
    [{ ...EVENT, messageId: '' }, 'messageId must be well-formed text of 1 to 999 characters'],
    [{ ...EVENT, messageId: 7 }, 'messageId must be well-formed text of 1 to 999 characters'],
    ['Order Shipped', 'the call must be an object; userId is required'],
    [undefined, 'userId is required, unless there is an anonymousId; eventName must be'],
  ])('track: %o', (call, message) => {
    expect(messageOf('event', call)).toContain(message);
  });

  test.each([
    [
      { userId: 'johndoe', plan: 'Premium' },
      'plan is not a field of a user: put your own attributes into attributes',
    ],
    [{ userId: 'johndoe', phone: '0551 1552' }, 'phone must be E.164, as +551155256325'],
    [{ userId: 'johndoe', gender: 'x' }, 'gender must be'],
    [{ userId: 'johndoe', emailOptIn: 'yes' }, 'emailOptIn must be true or false'],
    [{ userId: 'johndoe', birthDate: '17.05.1990' }, 'birthDate must be a date as'],
  ])('identify: %o', (call, message) => {
    expect(messageOf('user', call)).toContain(message);
  });
});

test('values with a toJSON are sent as it writes them, and undefined counts as absent', () => {
  const { json, messageId, person } = checkCall('event', {
    anonymousId: 'a1',
    userId: undefined,
    eventName: 'Opened',
    messageId: 'm1',
    eventData: { link: new URL('https://example.com/'), decimal: { toJSON: () => '1.10' }, none: undefined },
  });

  expect([messageId, person]).toEqual(['m1', 'anonymous a1']);
  expect(JSON.parse(json)).toEqual({
    kind: 'event',
    anonymousId: 'a1',
    eventName: 'Opened',
    eventData: { link: 'https://example.com/', decimal: '1.10' },
  });
});

describe('the event map', () => {
  type ShopEvents = {
    'Order Shipped': { Total: number; Coupon?: string };
    'Signed Out': undefined;
    Opened: { Link?: string };
  };
  type ShopUser = { Plan?: 'free' | 'paid' };
  const client = createServerClient<ShopEvents, ShopUser>({ endpoint: 'https://t.example.com', token: 'x' });

  test('requires the data of an event, and allows to leave it out if all of it is optional', () => {
    expectTypeOf<ServerEvent<ShopEvents, 'Order Shipped'>>()
      .toHaveProperty('eventData')
      .toEqualTypeOf<ShopEvents['Order Shipped']>();
    const right = () => [
      client.track({ userId: 'x', eventName: 'Order Shipped', eventData: { Total: 1 } }),
      client.track({ anonymousId: 'x', eventName: 'Signed Out', messageId: 'm' }),
      client.track({ userId: 'x', eventName: 'Opened', eventTime: new Date() }),
    ];
    // @ts-expect-error: no data
    const missing = () => client.track({ userId: 'x', eventName: 'Order Shipped' });
    // @ts-expect-error: of a wrong type
    const wrong = () => client.track({ userId: 'x', eventName: 'Order Shipped', eventData: { Total: '1' } });
    // @ts-expect-error: no such event
    const unknown = () => client.track({ userId: 'x', eventName: 'Order Sent' });
    // @ts-expect-error: nobody
    const nobody = () => client.track({ eventName: 'Signed Out' });

    expect([right, missing, wrong, unknown, nobody]).toHaveLength(5);
  });

  test('declares the attributes of users', () => {
    const right = () => client.identify({ userId: 'x', attributes: { Plan: 'paid' } });
    // @ts-expect-error: no such value
    const wrong = () => client.identify({ userId: 'x', attributes: { Plan: 'gold' } });
    // @ts-expect-error: no such field
    const unknown = () => client.identify({ userId: 'x', plan: 'paid' });

    expect([right, wrong, unknown]).toHaveLength(3);
  });
});
