import { describe, expect, test } from 'vitest';
import {
  type LoginState,
  lastUser,
  signedIn,
  signedOut,
  stateStore,
  told,
} from '../../src/webengage/login-state.ts';

describe('the SDK’s next steps', () => {
  test.each<[string, LoginState, LoginState]>([
    ['a first sign-in', { todo: [] }, { todo: ['ada'] }],
    ['the same user', { user: 'ada', todo: [] }, { user: 'ada', todo: [] }],
    ['the same user, while the login waits', { todo: ['ada'] }, { todo: ['ada'] }],
    ['another user', { user: 'bob', todo: [] }, { user: 'bob', todo: ['', 'ada'] }],
    [
      'the same user after a logout that waits',
      { user: 'ada', todo: [''] },
      { user: 'ada', todo: ['', 'ada'] },
    ],
    ['another user than the one who waits', { todo: ['bob'] }, { todo: ['bob', '', 'ada'] }],
  ])('after %s', (_, before, after) => {
    expect(signedIn(before, 'ada')).toEqual(after);
  });

  test('after a sign-out, what waits and a logout', () => {
    expect(signedOut({ user: 'ada', todo: ['', 'bob'] })).toEqual({ user: 'ada', todo: ['', 'bob', ''] });
    expect(signedOut({ todo: [] })).toEqual({ todo: [''] });
    expect(signedOut({ todo: [''] })).toEqual({ todo: [''] });
  });

  test('after its first step, the rest', () => {
    expect(told({ user: 'ada', todo: ['', 'bob'] })).toEqual({ todo: ['bob'] });
    expect(told({ todo: ['bob', ''] })).toEqual({ user: 'bob', todo: [''] });
  });

  test('does not grow without end where the SDK never comes', () => {
    let state: LoginState = { todo: [] };
    for (let n = 0; n < 100; n++) state = signedOut(signedIn(state, `user-${n}`));

    expect(state.todo.length).toBeLessThan(12);
    expect(state.todo.slice(-2)).toEqual(['user-99', '']);
    expect(lastUser(state)).toBe('');
  });
});

describe('the state', () => {
  test.each([
    ['nothing', null],
    ['no JSON', '{'],
    ['another value', '7'],
    ['a state of another form', '{"user":"ada"}'],
  ])('is empty where %s is stored', (_, text) => {
    expect(stateStore({ get: () => text, set: () => {} }).read()).toEqual({ todo: [] });
  });

  test('lasts for the page where storage is blocked', () => {
    const blocked = () => {
      throw new Error('blocked');
    };
    const { read, write } = stateStore({ get: blocked, set: blocked });

    write({ todo: ['ada'] });

    expect(read()).toEqual({ todo: ['ada'] });
  });

  test('is that of another tab, too', () => {
    let text = '{"user":"ada","todo":[]}';
    const { read } = stateStore({ get: () => text, set: () => {} });
    expect(read()).toEqual({ user: 'ada', todo: [] });
    text = '{"todo":[]}';

    expect(read()).toEqual({ todo: [] });
  });
});
