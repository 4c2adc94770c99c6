import { describe, expect, test } from 'vitest';
import { loggedOut, signedIn, signedOut, stateStore } from '../../src/webengage/login-state.ts';

describe('what the SDK is to be told', () => {
  test.each([
    ['a first sign-in', {}, { next: 'ada' }],
    ['the same user', { user: 'ada' }, { user: 'ada' }],
    ['the same user, while the login waits', { next: 'ada' }, { next: 'ada' }],
    ['another user', { user: 'bob' }, { user: 'bob', out: true, next: 'ada' }],
    [
      'the same user after a logout that waits',
      { user: 'ada', out: true },
      { user: 'ada', out: true, next: 'ada' },
    ],
    ['another user than the one who waits', { next: 'bob' }, { next: 'ada' }],
    [
      'the user from before the one who waits',
      { user: 'ada', out: true, next: 'bob' },
      { user: 'ada', out: true, next: 'ada' },
    ],
  ])('after %s', (_, before, after) => {
    expect(signedIn(before, 'ada')).toEqual(after);
  });

  test('after a sign-out, whoever waits', () => {
    expect(signedOut({ user: 'ada', next: 'bob' })).toEqual({ user: 'ada', out: true });
    expect(signedOut({})).toEqual({ out: true });
  });

  test('after its logout, a login is left', () => {
    expect(loggedOut({ user: 'ada', out: true, next: 'bob' })).toEqual({ next: 'bob' });
  });
});

describe('the state', () => {
  test.each([
    ['nothing', null],
    ['no JSON', '{'],
    ['another value', '7'],
  ])('is empty where %s is stored', (_, text) => {
    expect(stateStore({ get: () => text, set: () => {} }).read()).toEqual({});
  });

  test('lasts for the page where storage is blocked', () => {
    const blocked = () => {
      throw new Error('blocked');
    };
    const { read, write } = stateStore({ get: blocked, set: blocked });

    write({ next: 'ada' });

    expect(read()).toEqual({ next: 'ada' });
  });

  test('is that of another tab, too', () => {
    let text = '{"user":"ada"}';
    const { read } = stateStore({ get: () => text, set: () => {} });
    expect(read()).toEqual({ user: 'ada' });
    text = '{}';

    expect(read()).toEqual({});
  });
});
