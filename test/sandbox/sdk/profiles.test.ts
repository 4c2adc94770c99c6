import { describe, expect, test } from 'vitest';
import { type Arrival, profilesOf } from '../../../src/sandbox/sdk/profiles.ts';
import { parseSdkCall } from '../../../src/sandbox/sdk/sdk-call.ts';
import type { SdkSwitches } from '../../../src/sandbox/sdk/sdk-switches.ts';

const SWITCHES: SdkSwitches = {
  anonymousBefore: 'merged',
  anonymousAfter: 'merged',
  idAfterLogout: 'new',
  idAfterLogin: 'answers',
};

const rest = (
  eventName: string,
  whose: { readonly userId?: string; readonly anonymousId?: string },
): Arrival => ({
  from: 'rest',
  record: { ...whose, eventName },
});
const login = (luid: string, userId: string): Arrival => ({
  from: 'sdk',
  call: { call: 'login', luid, userId },
});
const tracked = (eventName: string, luid: string, userId?: string): Arrival => ({
  from: 'sdk',
  call: { call: 'track', luid, eventName, ...(userId && { userId }) },
});

/** The names of the events of each profile. */
function people(arrivals: readonly Arrival[], switches: Partial<SdkSwitches> = {}) {
  const { profiles, lost } = profilesOf(arrivals, { ...SWITCHES, ...switches });
  const named = profiles.map(({ userId, anonymousId, events }) => [
    userId ?? anonymousId,
    events.map(({ eventName }) => eventName),
  ]);
  return {
    ...Object.fromEntries(named),
    ...(lost.length > 0 && { lost: lost.map(({ eventName }) => eventName) }),
  };
}

describe('the profiles of an account', () => {
  const visit = [
    rest('before', { anonymousId: 'a' }),
    tracked('seen', 'a'),
    login('a', 'ada'),
    rest('after', { anonymousId: 'a' }),
    tracked('seen later', 'a', 'ada'),
  ];

  test.each([
    [{}, { ada: ['before', 'seen', 'after', 'seen later'] }],
    [{ anonymousBefore: 'apart' }, { ada: ['seen', 'after', 'seen later'], a: ['before'] }],
    [{ anonymousAfter: 'apart' }, { ada: ['before', 'seen', 'seen later'], a: ['after'] }],
    [{ anonymousAfter: 'lost' }, { ada: ['before', 'seen', 'seen later'], lost: ['after'] }],
  ] as const)('with %j', (switches, expected) => {
    expect(people(visit, switches)).toEqual(expected);
  });

  test('are not merged by REST, which ignores the anonymous id beside a user id', () => {
    expect(
      people([rest('one', { anonymousId: 'a' }), rest('two', { anonymousId: 'a', userId: 'ada' })]),
    ).toEqual({
      a: ['one'],
      ada: ['two'],
    });
  });

  test('have attributes from REST, anonymous ones too', () => {
    const { profiles } = profilesOf(
      [
        { from: 'rest', record: { anonymousId: 'a', firstName: 'Ada' } },
        login('a', 'ada'),
        { from: 'rest', record: { userId: 'ada', email: 'ada@example.com' } },
      ],
      SWITCHES,
    );

    expect(profiles).toEqual([
      { userId: 'ada', events: [], attributes: { firstName: 'Ada', email: 'ada@example.com' } },
    ]);
  });

  test('of a second user with the same id hold what the SDK saw in between', () => {
    const later = [
      ...visit,
      tracked('again', 'a'),
      rest('rest again', { anonymousId: 'a' }),
      login('a', 'bob'),
    ];

    expect(people(later, { anonymousAfter: 'apart' })).toMatchObject({
      ada: ['before', 'seen', 'seen later'],
      bob: ['again'],
      a: ['after', 'rest again'],
    });
  });
});

describe('a call of the simulated SDK', () => {
  test.each([
    { call: 'login', luid: 'a', userId: 'ada' },
    { call: 'track', luid: 'a', eventName: 'Seen' },
    { call: 'track', luid: 'a', userId: 'ada', eventName: 'Seen', eventData: { Price: 1 } },
  ])('may be %j', (call) => {
    expect(parseSdkCall(JSON.stringify(call))).toEqual(call);
  });

  test.each(['', '7', '{}', '{"call":"login","luid":"a"}', '{"call":"logout","luid":"a"}'])(
    'is not %s',
    (text) => {
      expect(parseSdkCall(text)).toBeUndefined();
    },
  );
});
