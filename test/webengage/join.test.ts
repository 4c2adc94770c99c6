import { describe, expect, test } from 'vitest';
import { quiet } from '../fakes/browser/browser.ts';
import { webEngageWorld } from '../fakes/webengage.ts';

/** Time for everything that waits: the id, the login, the relay. */
const ALL_MS = 30_000;

describe('identify', () => {
  test('logs the SDK in after the anonymous records have arrived, so that all are one profile', async () => {
    const { open, time, people, log } = webEngageWorld({ anonymousAfter: 'lost' });
    const { tracker } = open({ sdkAfterMs: 1_000 });
    void tracker.track('Landed');
    await time.pass(1_500);

    await tracker.identify('ada');
    await tracker.track('Bought');
    await time.pass(1_000);
    expect(log).toEqual([]);
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada']);
    expect(people()).toEqual({ ada: ['Bought rest', 'Landed rest'] });
  });

  test('logs in once, however often and on however many pages it is called', async () => {
    const { open, time, log } = webEngageWorld();
    const first = open({ sdkAfterMs: 0 });
    void first.tracker.identify('ada');
    void first.tracker.identify('ada', { company: 'Engines' });
    await time.pass(ALL_MS);
    void first.tracker.identify('ada');
    await time.pass(ALL_MS);
    await first.leave();

    const next = open({ sdkAfterMs: 0 });
    void next.tracker.identify('ada');
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada']);
  });

  test('logs in once from two tabs', async () => {
    const { open, time, log } = webEngageWorld();
    const one = open({ sdkAfterMs: 0 });
    const other = open({ sdkAfterMs: 0 });

    void one.tracker.identify('ada');
    void other.tracker.identify('ada');
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada']);
  });

  test('logs another user in after a logout', async () => {
    const { open, time, log } = webEngageWorld();
    const { tracker } = open({ sdkAfterMs: 0 });
    void tracker.identify('ada');
    await time.pass(ALL_MS);

    void tracker.identify('bob');
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada', 'logout', 'login bob']);
  });

  test('goes on on the next page if its page is left before the login', async () => {
    const { open, time, log } = webEngageWorld();
    const first = open({ sdkAfterMs: 4_000 });
    void first.tracker.identify('ada');
    await time.pass(1_000);
    await first.leave();
    expect(log).toEqual([]);

    open({ sdkAfterMs: 0 });
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada']);
  });

  test('waits for the relay no longer than `wait`, and says so once', async () => {
    const { open, time, log, replies, warnings } = webEngageWorld();
    const { tracker } = open({ sdkAfterMs: 0, wait: 2_000 });
    await time.pass(1_000);
    replies.push(...Array(20).fill('offline'));
    void tracker.track('Landed');
    void tracker.identify('ada');
    await time.pass(1_900);
    expect(log).toEqual([]);

    await time.pass(200);

    expect(log).toEqual(['login ada']);
    expect(warnings).toEqual([
      'webengage-relay: anonymous records were not sent in 2000 ms, and the SDK logs in before them',
    ]);
  });

  test('waits until they are sent with `wait: Infinity`, so that none is lost where late ones are', async () => {
    const { open, time, log, replies, people, profiles } = webEngageWorld({ anonymousAfter: 'lost' });
    const { tracker } = open({ sdkAfterMs: 0, wait: Number.POSITIVE_INFINITY });
    await time.pass(1_000);
    replies.push(...Array(6).fill('offline'));
    void tracker.track('Landed');
    void tracker.identify('ada');
    await time.pass(10_000);
    expect(log).toEqual([]);

    await time.pass(600_000);

    expect(log).toEqual(['login ada']);
    expect(profiles().lost).toEqual([]);
    expect(people()).toEqual({ ada: ['Landed rest'] });
  });

  test.each(['', 'x'.repeat(101)])('with an id that the tracker refuses logs nobody in', async (userId) => {
    const { open, time, log } = webEngageWorld();
    const { tracker } = open({ sdkAfterMs: 0 });

    await expect(tracker.identify(userId)).rejects.toThrow('userId');
    await time.pass(ALL_MS);

    expect(log).toEqual([]);
  });

  test('of an anonymous visitor logs nobody in', async () => {
    const { open, time, log } = webEngageWorld();
    void open({ sdkAfterMs: 0 }).tracker.identify({ email: 'a@example.com' });
    await time.pass(ALL_MS);

    expect(log).toEqual([]);
  });
});

describe('an identity token', () => {
  test('is asked for at the login, and passed to the SDK', async () => {
    const { open, time, tokens } = webEngageWorld();
    const { tracker } = open({ sdkAfterMs: 0, login: async (userId) => `token of ${userId}` });

    void tracker.identify('ada');
    await time.pass(ALL_MS);

    expect(tokens).toEqual(['token of ada']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    ['never comes', () => new Promise<string>(() => {})],
  ])('that %s leaves the login to the next page', async (_, login) => {
    const { open, time, log, warnings } = webEngageWorld();
    const first = open({ sdkAfterMs: 0, login });
    void first.tracker.identify('ada');
    await time.pass(ALL_MS);
    expect(log).toEqual([]);
    expect(warnings).toEqual(['webengage-relay: webengage.user.login failed, or its identity token']);
    await first.leave();

    open({ sdkAfterMs: 0, login: () => 'token' });
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada']);
  });

  test('that never comes holds up no other user', async () => {
    const { open, time, log } = webEngageWorld();
    const { tracker } = open({
      sdkAfterMs: 0,
      login: (userId) => (userId === 'ada' ? new Promise<string>(() => {}) : 'token'),
    });
    void tracker.identify('ada');
    await time.pass(6_000);
    void tracker.identify('bob');
    await time.pass(ALL_MS);

    expect(log).toEqual(['logout', 'login bob']);
  });
});

describe('reset', () => {
  test('logs the SDK out, and the next visitor has its new id', async () => {
    const { open, time, log, people } = webEngageWorld({ anonymousAfter: 'lost' });
    const { tracker } = open({ sdkAfterMs: 0 });
    void tracker.track('e1');
    await time.pass(500);
    void tracker.identify('ada');
    await time.pass(ALL_MS);

    tracker.reset();
    void tracker.track('e2');
    await time.pass(ALL_MS);
    void tracker.identify('bob');
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada', 'logout', 'login bob']);
    expect(people()).toEqual({ ada: ['e1 rest'], bob: ['e2 rest'] });
  });

  test('keeps the next visitor apart if the SDK keeps its id: nothing is lost, and nothing is the user’s before', async () => {
    const { open, time, people, profiles } = webEngageWorld({
      idAfterLogout: 'same',
      anonymousAfter: 'lost',
    });
    const { tracker } = open({ sdkAfterMs: 0 });
    void tracker.track('e1');
    await time.pass(500);
    void tracker.identify('ada');
    await time.pass(ALL_MS);

    tracker.reset();
    void tracker.track('e2');
    await time.pass(ALL_MS);

    expect(profiles().lost).toEqual([]);
    expect(Object.values(people())).toEqual([['e1 rest'], ['e2 rest']]);
    expect(people()).toMatchObject({ ada: ['e1 rest'] });
  });

  test('during a login that waits logs out after it, so that the user has what was done before', async () => {
    const { open, time, log } = webEngageWorld();
    const { tracker } = open({ sdkAfterMs: 2_000 });
    void tracker.identify('ada');
    await time.pass(100);
    tracker.reset();
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada', 'logout']);
  });

  test('in the task of a sign-in holds up neither that login nor the records before it', async () => {
    const { open, time, log, people, profiles, warnings } = webEngageWorld({
      anonymousAfter: 'lost',
    });
    const { tracker } = open({ sdkAfterMs: 0 });
    void tracker.track('e1');
    await time.pass(ALL_MS);

    void tracker.track('e2');
    void tracker.identify('ada');
    tracker.reset();
    void tracker.track('e3');
    await time.pass(4_500);

    expect(log).toEqual(['login ada', 'logout']);
    expect(people()).toMatchObject({ ada: ['e1 rest', 'e2 rest'] });
    expect(profiles().lost).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test('is caught up on the next page, before the next login', async () => {
    const { open, time, log } = webEngageWorld();
    const first = open({ sdkAfterMs: 0 });
    void first.tracker.identify('ada');
    await time.pass(ALL_MS);
    await first.leave();
    const second = open({});
    second.tracker.reset();
    void second.tracker.identify('bob');
    await time.pass(1_000);
    await second.leave();

    open({ sdkAfterMs: 0 });
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada', 'logout', 'login bob']);
  });
});

describe('the anonymous id after a reset', () => {
  test.each([
    ['before the SDK has come', 100, ['login ada']],
    ['after the SDK has logged the one before out', 1_500, ['login ada', 'logout']],
  ])('is not one that a later login merges into a user who has gone: %s', async (_, afterMs, logged) => {
    const { open, time, log, people } = webEngageWorld();
    const first = open({ sdkAfterMs: 0 });
    void first.tracker.identify('ada');
    await time.pass(ALL_MS);
    await first.leave();
    const { tracker } = open({ sdkAfterMs: 1_000 });
    void tracker.identify('bob');
    await time.pass(afterMs);
    expect(log).toEqual(logged);

    tracker.reset();
    void tracker.track('e1');
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada', 'logout', 'login bob', 'logout']);
    expect(people()).toMatchObject({ bob: [] });
  });

  test('is that of the last logout, if the SDK has to make several', async () => {
    const { open, time, log, people } = webEngageWorld();
    const first = open({ sdkAfterMs: 0 });
    void first.tracker.track('e1');
    await time.pass(ALL_MS);
    await first.leave();
    const { tracker } = open({
      sdkAfterMs: 1_000,
      // The SDK has Bob's id by then.
      login: (userId) => void (userId === 'bob' && tracker.track('e2')),
    });
    for (const userId of ['ada', 'bob']) {
      void tracker.identify(userId);
      await time.pass(100);
    }

    tracker.reset();
    await time.pass(ALL_MS);
    void tracker.track('e3');
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada', 'logout', 'login bob', 'logout']);
    expect(people()).toMatchObject({ ada: ['e1 rest'], bob: [], 'luid-3': ['e3 rest'] });
  });

  test('is not that of a user whom the SDK has yet to log in when a page opens', async () => {
    const { open, time, log, people } = webEngageWorld();
    const first = open({ sdkAfterMs: 0 });
    void first.tracker.track('e1');
    await time.pass(ALL_MS);
    await first.leave();
    const second = open({
      sdkAfterMs: 0,
      login: (userId) => (userId === 'bob' ? new Promise(() => {}) : 'token'),
    });
    for (const userId of ['ada', 'bob']) {
      void second.tracker.identify(userId);
      await time.pass(100);
    }
    second.tracker.reset();
    while (!log.includes('logout')) await time.pass(100);
    await second.leave();

    const { tracker } = open({ sdkAfterMs: 0 });
    void tracker.track('e2');
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada', 'logout', 'login bob', 'logout']);
    expect(people()).toMatchObject({ ada: ['e1 rest'], bob: [] });
  });
});

describe('a forwarded event', () => {
  test('goes to the SDK alone, with its data as of the call', async () => {
    const { open, time, people, profiles, arrived } = webEngageWorld();
    const { tracker } = open({ sdkAfterMs: 1_000, forward: ['Cart Opened'] });
    const data = { Price: 1 };
    await tracker.track('Cart Opened', data);
    data.Price = 2;
    await time.pass(ALL_MS);

    expect(arrived.size).toBe(0);
    expect(people()).toEqual({ 'luid-1': ['Cart Opened sdk'] });
    expect(profiles().profiles[0]?.events[0]?.data).toEqual({ Price: 1 });
  });

  test('goes to the relay alone if the SDK is not ready in time, even if it comes later', async () => {
    const { open, time, people, warnings } = webEngageWorld();
    const { tracker } = open({ sdkAfterMs: 6_000, forward: ['Cart Opened'] });
    void tracker.track('Cart Opened');
    void tracker.track('Cart Opened');
    await time.pass(ALL_MS);

    expect(Object.values(people())).toEqual([['Cart Opened rest', 'Cart Opened rest']]);
    expect(warnings).toEqual([
      "webengage-relay: WebEngage's SDK was not ready in 5000 ms, so the event goes to the relay",
    ]);
  });

  test('goes to the relay if its page is left before', async () => {
    const { open, time, people } = webEngageWorld();
    const first = open({ sdkAfterMs: 3_000, forward: ['Cart Opened'] });
    void first.tracker.track('Cart Opened');
    await time.pass(1_000);
    await first.leave();

    open({ sdkAfterMs: 0 });
    await time.pass(ALL_MS);

    expect(people()).toEqual({ 'luid-1': ['Cart Opened rest'] });
  });

  test('goes to the relay if the SDK throws', async () => {
    const { open, time, people, trouble, warnings } = webEngageWorld();
    const { tracker } = open({ sdkAfterMs: 0, forward: ['Cart Opened'] });
    trouble.track = true;
    await time.pass(500);
    void tracker.track('Cart Opened');
    await time.pass(ALL_MS);

    expect(people()).toEqual({ 'luid-1': ['Cart Opened rest'] });
    expect(warnings).toEqual(['webengage-relay: webengage.track failed, so the event goes to the relay']);
  });

  test('that waits belongs to the one who made it, at the relay too', async () => {
    const { open, time, people } = webEngageWorld();
    const { tracker } = open({ forward: ['Cart Opened'] });
    void tracker.identify('ada');
    await time.pass(100);
    void tracker.track('Cart Opened');
    tracker.reset();
    void tracker.identify('bob');
    await time.pass(ALL_MS);

    expect(people()).toMatchObject({ ada: ['Cart Opened rest'] });
  });

  test('that waits is the first user’s if another one signs in', async () => {
    const { open, time, people } = webEngageWorld();
    const { tracker } = open({ forward: ['Cart Opened'] });
    void tracker.identify('ada');
    await time.pass(100);
    void tracker.track('Cart Opened');
    void tracker.identify('bob');
    await time.pass(ALL_MS);

    expect(people()).toMatchObject({ ada: ['Cart Opened rest'] });
  });

  test('is discarded with the rest when the visitor opts out', async () => {
    const { open, time, arrived, log, logins } = webEngageWorld();
    const { tracker } = open({ sdkAfterMs: 3_000, forward: ['Cart Opened'] });
    void tracker.identify('ada');
    void tracker.track('Cart Opened');
    await time.pass(100);
    void tracker.optOut();
    await time.pass(ALL_MS);

    expect([...arrived.values()].map(({ record }) => record.kind)).not.toContain('event');
    expect(log).toEqual([]);
    expect(logins()).toBe('{"todo":[]}');
  });
});

describe('an SDK', () => {
  test('that never comes changes nothing for the relay', async () => {
    const { open, time, people, log } = webEngageWorld();
    const { tracker } = open({ hasNoStub: true });
    void tracker.track('e1');
    void tracker.identify('ada');
    void tracker.track('e2');
    await time.pass(ALL_MS);

    expect(people()).toMatchObject({ ada: ['e2 rest'] });
    expect(log).toEqual([]);
  });

  test('without a stub is found when it comes', async () => {
    const { open, time, log } = webEngageWorld();
    const { tracker } = open({ hasNoStub: true, sdkAfterMs: 8_000 });
    void tracker.identify('ada');
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada']);
  });

  test('that takes a stub’s place and loses its queue is found', async () => {
    const { open, time, log } = webEngageWorld();
    const { tracker, page, load } = open();
    void tracker.identify('ada');
    await time.pass(1_000);
    const { onReady } = page.webengage as { onReady: unknown };
    page.webengage = { onReady, user: {} };
    await time.pass(1_000);
    load();
    await time.pass(ALL_MS);

    expect(log).toEqual(['login ada']);
  });

  test('that comes after minutes logs in by the callback of its stub', async () => {
    const { open, time, log } = webEngageWorld();
    const { tracker } = open({ sdkAfterMs: 600_000 });
    void tracker.identify('ada');
    await time.pass(700_000);

    expect(log).toEqual(['login ada']);
  });

  test.each(['login', 'logout'] as const)('whose %s throws is asked again on the next page', async (name) => {
    const { open, time, log, trouble, warnings } = webEngageWorld();
    const first = open({ sdkAfterMs: 0 });
    if (name === 'logout') {
      void first.tracker.identify('eve');
      await time.pass(ALL_MS);
      log.length = 0;
    }
    trouble[name] = true;
    void first.tracker.identify('ada');
    await time.pass(ALL_MS);
    expect(log).toEqual([]);
    expect(warnings.join()).toContain(`webengage.user.${name} failed`);
    expect(warnings.join()).not.toContain('somebody');
    expect(first.reported).toEqual([]);
    await first.leave();
    trouble[name] = false;

    open({ sdkAfterMs: 0 });
    await time.pass(ALL_MS);

    expect(log).toEqual(name === 'logout' ? ['logout', 'login ada'] : ['login ada']);
  });

  test('whose global throws when it is read harms nothing', async () => {
    const { open, time, people, page } = (() => {
      const world = webEngageWorld();
      const opened = world.open({ hasNoStub: true, forward: ['Cart Opened'] });
      return { ...world, ...opened };
    })();
    Object.defineProperty(page, 'webengage', {
      get: () => {
        throw new Error('not yours');
      },
    });
    void open;
    await quiet();
    await time.pass(ALL_MS);

    expect(people()).toEqual({});
  });
});
