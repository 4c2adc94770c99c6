import { describe, expect, test } from 'vitest';
import {
  CAN_FILL,
  NO_DATABASE,
  NO_LOCAL_STORAGE,
  slowDatabase,
  WITH_WORKER,
  workerCode,
} from './harness/page-troubles.ts';
import { realPages } from './harness/real-pages.ts';
import type { Tab, Visitor } from './harness/visitor.ts';

// Who an event belongs to, and that it comes once, whatever the page does to its storage.

const pages = realPages();

const SLOW = slowDatabase();

/** Signs somebody in, on a page that has its database. */
async function signedIn(visitor: Visitor, userId: string, before = ''): Promise<Tab> {
  const tab = await visitor.open({ before });
  await tab.run(`await webengageRelay.identify('${userId}'); await webengageRelay.track('Before')`);
  await tab.flush();
  return tab;
}

async function expectOnceFrom({ relay }: Visitor, events: Readonly<Record<string, string>>): Promise<void> {
  await relay.have(Object.keys(events));
  const owners = Object.keys(events).map((name) => [name, relay.ownerOf(name)]);
  expect(Object.fromEntries(owners)).toEqual(events);
  expect(relay.doubled()).toEqual([]);
  expect(relay.devices()).toHaveLength(1);
}

describe('the page clears localStorage, tracks, and goes on', () => {
  test.each([
    ['in a page whose database has answered', '', ''],
    ['the database slow on every page', SLOW, SLOW],
    ['the database slow on the next page', '', SLOW],
  ])('%s: the event arrives once, from the signed-in user', async (_, first, next) => {
    const visitor = await pages.visitor();
    const tab = await signedIn(visitor, 'ada', first);

    await tab.leave(`localStorage.clear(); webengageRelay.track('After')`, { before: next });
    await tab.flush();

    await expectOnceFrom(visitor, { Before: 'ada', After: 'ada' });
  });

  test('before a slow database has answered: the event arrives once, from the signed-in user', async () => {
    const visitor = await pages.visitor();
    const tab = await signedIn(visitor, 'ada');

    await tab.go({ before: SLOW });
    await tab.leave(`localStorage.clear(); webengageRelay.track('After')`, { before: SLOW });
    await tab.flush();

    await expectOnceFrom(visitor, { Before: 'ada', After: 'ada' });
  });

  test('as the page starts, before the tracker has loaded: no visitor is new', async () => {
    const visitor = await pages.visitor();
    const tab = await signedIn(visitor, 'ada');

    await tab.go({ before: `${SLOW} localStorage.clear();`, calls: `webengageRelay.track('After');` });
    await tab.quit('');
    await tab.go();
    await tab.flush();

    await expectOnceFrom(visitor, { Before: 'ada', After: 'ada' });
  });

  test('an anonymous visitor stays the same', async () => {
    const visitor = await pages.visitor();
    const tab = await visitor.open();
    await tab.run(`await webengageRelay.track('First')`);
    await tab.flush();
    const owner = visitor.relay.ownerOf('First');

    await tab.leave(`localStorage.clear(); webengageRelay.track('Second')`, { before: SLOW });
    await tab.leave(`webengageRelay.track('Third'); localStorage.clear()`, { before: SLOW });
    await tab.flush();

    await expectOnceFrom(visitor, { First: owner, Second: owner, Third: owner });
  });

  test('at a logout: later events are of one new anonymous visitor, and none is doubled', async () => {
    const visitor = await pages.visitor();
    const tab = await signedIn(visitor, 'ada', SLOW);

    await tab.leave(`webengageRelay.reset(); localStorage.clear(); webengageRelay.track('Logged out')`, {
      before: SLOW,
    });
    await tab.run(`await webengageRelay.track('Looks around')`);
    await tab.flush();

    const owner = visitor.relay.ownerOf('Logged out');
    expect(owner).toMatch(/^anonymous /);
    await expectOnceFrom(visitor, { Before: 'ada', 'Logged out': owner, 'Looks around': owner });
  });

  test('while the relay refuses all connections: the event arrives once', async () => {
    const visitor = await pages.visitor();
    const tab = await signedIn(visitor, 'ada', SLOW);
    visitor.relay.behave(() => ({ what: 'lose answer' }));

    await tab.leave(`webengageRelay.track('After'); localStorage.clear()`, { before: SLOW });
    visitor.relay.behave(() => undefined);
    await tab.flush();

    await expectOnceFrom(visitor, { Before: 'ada', After: 'ada' });
  });
});

test('the site’s databases are deleted and localStorage stays: each event arrives once', async () => {
  const visitor = await pages.visitor();
  const tab = await signedIn(visitor, 'ada');

  await tab.quit('');
  await tab.run(`for (const { name } of await indexedDB.databases())
    await new Promise((done) => { indexedDB.deleteDatabase(name).onsuccess = done; })`);
  await tab.go();
  await tab.run(`await webengageRelay.track('After')`);
  await tab.flush();

  await visitor.relay.have(['Before', 'After']);
  expect(visitor.relay.doubled()).toEqual([]);
});

describe('localStorage is full', () => {
  const LONG = 'a-user-with-a-very-long-id-'.repeat(3);

  test.each([
    ['the database as usual', CAN_FILL],
    ['the database slow', `${CAN_FILL} ${SLOW}`],
  ])('%s: events after a sign-in are never those of the previous user', async (_, before) => {
    const visitor = await pages.visitor();
    const tab = await signedIn(visitor, 'al', before);

    await tab.leave(`fillStorage(); webengageRelay.identify('${LONG}'); webengageRelay.track('Signed in')`, {
      before,
    });
    await tab.run(`await webengageRelay.track('Next page')`);
    await tab.flush();

    await expectOnceFrom(visitor, { Before: 'al', 'Signed in': LONG });
    expect(visitor.relay.ownerOf('Next page')).not.toBe('al');
  });

  test('a reset takes effect all the same', async () => {
    const visitor = await pages.visitor();
    const tab = await signedIn(visitor, 'ada', CAN_FILL);

    await tab.leave(`fillStorage(); webengageRelay.reset(); webengageRelay.track('Logged out')`);
    await tab.run(`await webengageRelay.track('Next page')`);
    await tab.flush();

    await visitor.relay.have(['Logged out', 'Next page']);
    expect(visitor.relay.ownerOf('Logged out')).toMatch(/^anonymous /);
    expect(visitor.relay.ownerOf('Next page')).toMatch(/^anonymous /);
    expect(visitor.relay.doubled()).toEqual([]);
  });

  test('full from the first page on, with constant tracking: each event arrives once', async () => {
    const visitor = await pages.visitor();
    const before = `${CAN_FILL} fillStorage(); ${SLOW}`;
    const tab = await visitor.open({ before });

    for (const n of [1, 2, 3])
      await tab.leave(`await webengageRelay.track('Kept ${n}'); webengageRelay.track('Left ${n}')`, {
        before,
      });
    await tab.flush();

    await visitor.relay.have(['Kept 1', 'Left 1', 'Kept 2', 'Left 2', 'Kept 3', 'Left 3']);
    expect(visitor.relay.doubled()).toEqual([]);
    expect(visitor.relay.devices()).toHaveLength(1);
  });
});

describe('the last task of a page', () => {
  const LISTENERS = [
    ['visibilitychange', `document.addEventListener('visibilitychange', () => { CALL; }, { once: true });`],
    ['pagehide', `addEventListener('pagehide', () => { CALL; }, { once: true });`],
    ['beforeunload', `addEventListener('beforeunload', () => { CALL; }, { once: true });`],
  ] as const;
  const ROUNDS = [1, 2, 3, 4, 5];

  test.each(
    LISTENERS.flatMap(([name, code]) => [
      [name, code, ''] as const,
      [`${name}, the database slow`, code, SLOW] as const,
    ]),
  )('reset() in %s: the next page has another visitor, each time', async (_, code, before) => {
    const visitor = await pages.visitor();
    const tab = await visitor.open({ before });
    const owners: string[] = [];

    for (const n of ROUNDS) {
      await tab.run(`await webengageRelay.identify('user ${n}')`);
      await tab.leave(
        `webengageRelay.track('Left ${n}'); ${code.replace('CALL', 'webengageRelay.reset()')}`,
        {
          before,
        },
      );
      await tab.run(`await webengageRelay.track('Next ${n}')`);
      await tab.flush();
      owners.push(visitor.relay.ownerOf(`Next ${n}`));
    }

    expect(owners.map((owner) => owner.split(' ')[0])).toEqual(ROUNDS.map(() => 'anonymous'));
    expect(new Set(owners).size).toBe(ROUNDS.length);
    expect(ROUNDS.map((n) => visitor.relay.ownerOf(`Left ${n}`))).toEqual(ROUNDS.map((n) => `user ${n}`));
  });

  test.each(LISTENERS)('identify() in %s: the next page has that user, each time', async (_, code) => {
    const visitor = await pages.visitor();
    const tab = await visitor.open({ before: SLOW });
    const owners: string[] = [];

    for (const n of ROUNDS) {
      await tab.leave(
        `webengageRelay.track('Left ${n}'); ${code.replace('CALL', `webengageRelay.reset(); webengageRelay.identify('user ${n}')`)}`,
        {
          before: SLOW,
        },
      );
      await tab.run(`await webengageRelay.track('Next ${n}')`);
      await tab.flush();
      owners.push(visitor.relay.ownerOf(`Next ${n}`));
    }

    expect(owners).toEqual(ROUNDS.map((n) => `user ${n}`));
  });

  test('reset() and a navigation in one task, five times: the next page never has the earlier user', async () => {
    const visitor = await pages.visitor();
    const tab = await visitor.open({ before: SLOW });

    for (const n of ROUNDS) {
      await tab.run(`await webengageRelay.identify('user ${n}')`);
      await tab.leave(`webengageRelay.reset(); webengageRelay.track('Out ${n}')`, { before: SLOW });
    }
    await tab.flush();

    await visitor.relay.have(ROUNDS.map((n) => `Out ${n}`));
    const owners = ROUNDS.map((n) => visitor.relay.ownerOf(`Out ${n}`));
    expect(owners.filter((owner) => !owner.startsWith('anonymous'))).toEqual([]);
    expect(new Set(owners).size).toBe(ROUNDS.length);
    expect(visitor.relay.doubled()).toEqual([]);
  });
});

describe('a page and a worker side by side', () => {
  async function withWorker(): Promise<{ visitor: Visitor; tab: Tab }> {
    const visitor = await pages.visitor();
    const tab = await visitor.open({ before: WITH_WORKER });
    await tab.run(`await webengageRelay.identify('alice'); await webengageRelay.track('Before')`);
    await tab.flush();
    const path = visitor.site.addScript(workerCode(visitor.relay.url));
    await tab.run(
      `await startWorker('${path}'); await inWorker("await tracker.track('Worker starts'); await tracker.flush()")`,
    );
    return { visitor, tab };
  }

  test('the page signs Bob in: the worker’s next event is Bob’s', async () => {
    const { visitor, tab } = await withWorker();

    await tab.run(`webengageRelay.reset(); await webengageRelay.identify('bob');
      await inWorker("await tracker.track('Worker goes on'); await tracker.flush()")`);

    await expectOnceFrom(visitor, { Before: 'alice', 'Worker starts': 'alice', 'Worker goes on': 'bob' });
  });

  test('the page logs out: the worker’s next event is the page’s anonymous visitor’s', async () => {
    const { visitor, tab } = await withWorker();

    await tab.run(`webengageRelay.reset(); await webengageRelay.track('Page');
      await inWorker("await tracker.track('Worker'); await tracker.flush()")`);
    await tab.flush();

    const owner = visitor.relay.ownerOf('Page');
    expect(owner).toMatch(/^anonymous /);
    await expectOnceFrom(visitor, { Page: owner, Worker: owner });
  });

  test('the worker signs Bob in: the page’s next event is Bob’s', async () => {
    const { visitor, tab } = await withWorker();

    await tab.run(
      `await inWorker("tracker.reset(); await tracker.identify('bob')"); await webengageRelay.track('Page')`,
    );
    await tab.flush();

    await expectOnceFrom(visitor, { 'Worker starts': 'alice', Page: 'bob' });
  });

  test('they take turns: each event is of the last user who signed in', async () => {
    const { visitor, tab } = await withWorker();

    await tab.run(`for (const n of [1, 2, 3]) {
        await webengageRelay.identify('page ' + n); await inWorker("await tracker.track('Worker " + n + "')");
        await inWorker("await tracker.identify('worker " + n + "')"); await webengageRelay.track('Page ' + n);
      }`);
    await tab.flush();

    await expectOnceFrom(visitor, {
      'Worker 1': 'page 1',
      'Page 1': 'worker 1',
      'Worker 2': 'page 2',
      'Page 2': 'worker 2',
      'Worker 3': 'page 3',
      'Page 3': 'worker 3',
    });
  });

  test('a service worker tracks for the user whom the page has signed in', async () => {
    const visitor = await pages.visitor();
    const script = visitor.site.addScript(`importScripts('/dist/service-worker.js');
      tracker = webengageRelay.syncInBackground({ endpoint: '${visitor.relay.url}', maxWaitMs: 100, requestsPerMinute: 500, burst: 100 });`);
    const tab = await signedIn(visitor, 'alice');
    const started = visitor.context.waitForEvent('serviceworker');
    await tab.run(`await navigator.serviceWorker.register('${script}'); await navigator.serviceWorker.ready`);
    const worker = await started;
    const pushed = (name: string) => worker.evaluate(`tracker.track('${name}').then(() => tracker.flush())`);

    await pushed('Pushed to Alice');
    await tab.run(`webengageRelay.reset(); await webengageRelay.identify('bob')`);
    await pushed('Pushed to Bob');

    await expectOnceFrom(visitor, { 'Pushed to Alice': 'alice', 'Pushed to Bob': 'bob' });
  });
});

describe('two tabs', () => {
  test('one signs Bob in: the other one’s next event is Bob’s, though localStorage is cleared', async () => {
    const visitor = await pages.visitor();
    const first = await signedIn(visitor, 'alice');
    const second = await visitor.open();

    await second.run(`webengageRelay.reset(); await webengageRelay.identify('bob'); localStorage.clear()`);
    await first.run(`await webengageRelay.track('First tab')`);
    await first.flush();

    await expectOnceFrom(visitor, { Before: 'alice', 'First tab': 'bob' });
  });

  test('both new at the same time, with a slow database: they are one visitor', async () => {
    const visitor = await pages.visitor();

    const tabs = await Promise.all(
      ['One', 'Two'].map((name) => visitor.open({ before: SLOW, calls: `webengageRelay.track('${name}');` })),
    );
    await Promise.all(tabs.map((tab) => tab.flush()));

    await visitor.relay.have(['One', 'Two']);
    expect(visitor.relay.ownerOf('Two')).toBe(visitor.relay.ownerOf('One'));
    expect(visitor.relay.devices()).toHaveLength(1);
    expect(visitor.relay.doubled()).toEqual([]);
  });
});

describe('a visitor who goes on before the slow database has ever answered', () => {
  test('is one visitor, and each event arrives once', async () => {
    const visitor = await pages.visitor();
    const before = slowDatabase(1_000);
    const tab = await visitor.open({ before });

    for (const n of [1, 2, 3]) await tab.leave(`webengageRelay.track('Page ${n}')`, { before });
    await tab.go();
    await tab.flush();

    const owner = visitor.relay.ownerOf('Page 1');
    await expectOnceFrom(visitor, { 'Page 1': owner, 'Page 2': owner, 'Page 3': owner });
  });
});

describe('one of the two stores is denied', () => {
  test.each([
    ['the database', NO_DATABASE],
    ['localStorage', NO_LOCAL_STORAGE],
  ])('%s: the user stays signed in from page to page', async (_, before) => {
    const visitor = await pages.visitor();
    const tab = await signedIn(visitor, 'ada', before);

    await tab.go({ before });
    await tab.run(`await webengageRelay.track('After')`);
    await tab.flush();

    await expectOnceFrom(visitor, { Before: 'ada', After: 'ada' });
  });
});

describe('identify without a user id', () => {
  test('describes the anonymous visitor, whose events carry the same id', async () => {
    const visitor = await pages.visitor();
    const tab = await visitor.open();

    await tab.run(`await webengageRelay.identify({ firstName: 'Ada', attributes: { plan: 'Free' } });
      await webengageRelay.track('Looks around')`);
    await tab.flush();

    const [user] = visitor.relay.users();
    expect(user).toMatchObject({ kind: 'user', firstName: 'Ada', attributes: { plan: 'Free' } });
    expect(user?.userId).toBeUndefined();
    expect(visitor.relay.ownerOf('Looks around')).toBe(`anonymous ${user?.anonymousId}`);
  });

  test('describes the signed-in user if there is one', async () => {
    const visitor = await pages.visitor();
    const tab = await signedIn(visitor, 'ada');

    await tab.run(`await webengageRelay.identify({ firstName: 'Ada' })`);
    await tab.flush();

    expect(visitor.relay.users().at(-1)).toMatchObject({ userId: 'ada', firstName: 'Ada' });
  });
});
