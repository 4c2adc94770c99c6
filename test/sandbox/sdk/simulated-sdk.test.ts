import { expect, test } from 'vitest';
import type { SdkCall } from '../../../src/sandbox/sdk/sdk-call.ts';
import { simulateSdk } from '../../../src/sandbox/sdk/simulated-sdk.ts';

function browser(switches: Partial<Parameters<typeof simulateSdk>[0]['switches']> = {}) {
  const kept: { luid?: string; user?: string | undefined } = {};
  const sent: SdkCall[] = [];
  let made = 0;
  const ports = {
    memory: {
      luid: () => kept.luid,
      setLuid: (luid: string) => {
        kept.luid = luid;
      },
      user: () => kept.user,
      setUser: (user: string | undefined) => {
        kept.user = user;
      },
    },
    newId: () => `luid-${++made}`,
    send: (call: SdkCall) => void sent.push(call),
    switches: { idAfterLogout: 'new' as const, idAfterLogin: 'answers' as const, ...switches },
  };
  return { ports, kept, sent };
}

test('an SDK has an id for a browser, on each of its pages', () => {
  const { ports, kept } = browser();

  const first = simulateSdk(ports).user.getAnonymousId();
  const next = simulateSdk(ports).user.getAnonymousId();

  expect([first, next, kept.luid]).toEqual(['luid-1', 'luid-1', 'luid-1']);
});

test('it makes the calls that its stub has queued', () => {
  const { ports, sent } = browser();
  let isReady = false;

  simulateSdk(ports, [
    ['track', ['Seen', { Price: 1 }]],
    ['user.login', ['ada']],
    ['onReady', [() => (isReady = true)]],
    ['survey.render', []],
  ]);

  expect(isReady).toBe(true);
  expect(sent).toEqual([
    { call: 'track', luid: 'luid-1', eventName: 'Seen', eventData: { Price: 1 } },
    { call: 'login', luid: 'luid-1', userId: 'ada' },
  ]);
});

test.each([
  ['new', 'luid-2'],
  ['same', 'luid-1'],
] as const)('after a logout its id is %s', (idAfterLogout, id) => {
  const { ports, sent } = browser({ idAfterLogout });
  const sdk = simulateSdk(ports);
  sdk.user.login('ada');
  sdk.track('Seen');
  sdk.user.logout();

  expect(sdk.user.getAnonymousId()).toBe(id);
  expect(sent.at(-1)).toMatchObject({ eventName: 'Seen', userId: 'ada' });
});

test.each([
  ['answers', 'luid-1'],
  ['silent', undefined],
] as const)('while a user is logged in, its id %s', (idAfterLogin, id) => {
  const sdk = simulateSdk(browser({ idAfterLogin }).ports);
  sdk.user.login('ada');

  expect(sdk.user.getAnonymousId()).toBe(id);
});
