import { describe, expect, test } from 'vitest';
import { makeEvent, makeUser, type Profile } from '../../../src/tracker/record/make-record.ts';
import { ADDED_TO_CART, JOHN } from '../../fakes/records.ts';

const AT = Date.parse('2026-11-23T12:00:00Z');

test('the documented user goes as it is', () => {
  const { userId = '', ...profile } = JOHN;

  expect(makeUser(userId, profile as Profile, AT, true)).toEqual({
    at: AT,
    fields: { kind: 'user', ...JOHN },
    repairs: [],
  });
});

test('the documented event goes as it is, at the time of the call', () => {
  const { fields } = makeEvent('Added to Cart', ADDED_TO_CART.eventData, AT, true);

  expect(fields).toMatchObject({
    eventName: 'Added to Cart',
    eventTime: expect.stringMatching(/^2026-11-2\dT\d\d:\d\d:00[+-]\d{4}$/),
    eventData: ADDED_TO_CART.eventData,
  });
});

describe('a call that the contract refuses as a whole', () => {
  test.each([
    ['', 'eventName must be well-formed text of 1 to 49 characters'],
    ['e'.repeat(50), 'eventName must be well-formed text of 1 to 49 characters'],
    ['we_bought', 'eventName must not start with we_'],
    ['user_logged_in', 'eventName must not be a system event of WebEngage'],
    [7 as unknown as string, 'eventName must be well-formed text of 1 to 49 characters'],
    [undefined as unknown as string, 'eventName must be well-formed text of 1 to 49 characters'],
  ])('track(%j)', (eventName, message) => {
    expect(() => makeEvent(eventName, {}, AT, false)).toThrow(message);
  });

  test.each([
    ['u'.repeat(101), {}, 'userId must be well-formed text of 1 to 100 characters'],
    ['', {}, 'userId must be well-formed text of 1 to 100 characters'],
    [7 as unknown as string, {}, 'userId must be well-formed text of 1 to 100 characters'],
    ['u', { phone: '0049 89 1234' }, 'phone must be E.164, as +551155256325'],
    ['u', { birthDate: new Date(Number.NaN) }, 'birthDate must be a date as yyyy-MM-ddTHH:mm:ss±hhmm'],
    ['u', { plan: 'Premium' } as Profile, 'plan is not a field'],
    ['u', { anonymousId: 'a' } as Profile, 'anonymousId is not a field'],
    ['u', JSON.parse('{"__proto__": 1}'), '__proto__ is not a field'],
    [undefined as unknown as string, {}, 'userId must be well-formed text of 1 to 100 characters'],
    ['u', { attributes: [] }, 'attributes must be an object'],
  ])('identify(%j, %j)', (userId, profile, message) => {
    expect(() => makeUser(userId, profile, AT, false)).toThrow(message);
  });

  test('names every field at fault', () => {
    const profile = { phone: '1', gender: 'm' as 'male' };

    expect(() => makeUser('u', profile, AT, false)).toThrow(
      /gender must be .*; phone must be|phone must be .*; gender/,
    );
  });
});

test('strict rejects what would be repaired, by path and rule', () => {
  expect(() => makeEvent('Bought', { Price: Number.NaN }, AT, true)).toThrow(
    'eventData.Price must be a string, finite number, boolean, array or object',
  );
  expect(makeEvent('Bought', { Price: Number.NaN }, AT, false).fields).toMatchObject({ eventData: {} });
});

test('a birth date given as a Date is written in WebEngage’s format', () => {
  const { fields } = makeUser('u', { birthDate: new Date('1986-08-19T15:45:00Z') }, AT, true);

  expect(fields).toMatchObject({
    birthDate: expect.stringMatching(/^1986-08-\d\dT\d\d:\d\d:00[+-]\d{4}$/),
  });
});
