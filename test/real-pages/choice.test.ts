import { describe, expect, test } from 'vitest';
import {
  NO_DATABASE,
  NO_LOCAL_STORAGE,
  slowDatabase,
  WITH_WORKER,
  workerCode,
} from './harness/page-troubles.ts';
import { realPages } from './harness/real-pages.ts';
import type { Tab, Visitor } from './harness/visitor.ts';

// A visitor's choice outlives what the page, and the browser, do to its two stores.

const pages = realPages();

const SLOW = slowDatabase();

const DELETE_DATABASES = `for (const { name } of await indexedDB.databases())
  await new Promise((done) => { indexedDB.deleteDatabase(name).onsuccess = done; });`;

/** Databases that hold anything at all. */
const RECORDS_KEPT = `
  const found = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((y, n) => { const r = indexedDB.open(name); r.onsuccess = () => y(r.result); r.onerror = n; });
    for (const store of database.objectStoreNames) {
      const values = await new Promise((y) => { const r = database.transaction(store).objectStore(store).getAll(); r.onsuccess = () => y(r.result); });
      found.push(...values.map((value) => JSON.stringify(value)));
    }
    database.close();
  }
  for (const key of Object.keys(localStorage)) found.push(localStorage.getItem(key));
  return found.filter((text) => /eventName|anonymousId|userId/.test(text));`;

async function tracking(visitor: Visitor, before = ''): Promise<Tab> {
  const tab = await visitor.open({ before });
  await tab.run(`await webengageRelay.identify('ada'); await webengageRelay.track('Before')`);
  await tab.flush();
  return tab;
}

/** Ends with a page on which calls resolve and make nothing. */
async function expectOut({ relay }: Visitor, tab: Tab, name = 'Never'): Promise<void> {
  const requests = relay.requests().length;

  await tab.run(`await webengageRelay.track('${name}'); await webengageRelay.identify('ada')`);
  expect(await tab.flush()).toEqual({ settled: true });
  await tab.leave(`webengageRelay.track('${name}')`);

  expect(relay.requests()).toHaveLength(requests);
  expect(relay.names()).not.toContain(name);
  expect(await tab.run(RECORDS_KEPT)).toEqual([]);
  expect(tab.errors).toEqual([]);
}

describe('after optOut(), on the next page', () => {
  test.each([
    ['nothing else', ''],
    ['localStorage cleared', 'localStorage.clear();'],
    ['the databases deleted', DELETE_DATABASES],
    [
      'localStorage cleared, and keys of ours written by an old tab',
      `localStorage.clear(); localStorage.setItem('webengage-relay', '{}');`,
    ],
  ])('%s: the opt-out still holds', async (_, happens) => {
    const visitor = await pages.visitor();
    const tab = await tracking(visitor);

    await tab.run('await webengageRelay.optOut()');
    await tab.run(happens);
    await tab.go();

    await expectOut(visitor, tab);
  });

  test('localStorage cleared before the tracker runs, with a slow database: the opt-out still holds', async () => {
    const visitor = await pages.visitor();
    const tab = await tracking(visitor);
    await tab.run('await webengageRelay.optOut()');

    await tab.go({ before: `localStorage.clear(); ${SLOW}`, calls: `webengageRelay.track('Never');` });

    await expectOut(visitor, tab);
  });

  test('called in the task in which the page is left: the opt-out still holds', async () => {
    const visitor = await pages.visitor();
    const tab = await tracking(visitor, SLOW);

    await tab.leave('webengageRelay.optOut()', { before: SLOW });

    await expectOut(visitor, tab);
  });

  test('called in the task in which the page is left, with localStorage cleared by the next page: the opt-out still holds', async () => {
    const visitor = await pages.visitor();
    const tab = await tracking(visitor);

    await tab.leave('webengageRelay.optOut()', { before: SLOW });
    await tab.run('await webengageRelay.flush(); localStorage.clear()');
    await tab.go();

    await expectOut(visitor, tab);
  });
});

describe('stored data', () => {
  test('is deleted: waiting records are dropped and reported, and no user, event or id stays', async () => {
    const visitor = await pages.visitor();
    const tab = await tracking(visitor);
    visitor.relay.behave(() => ({ what: 'drop' }));
    await tab.run(`await webengageRelay.track('Waits')`);
    await tab.flush();

    await tab.run('await webengageRelay.optOut()');

    expect(await tab.reported('dropped')).toMatchObject([{ about: { reason: 'opted_out' } }]);
    expect(await tab.run(RECORDS_KEPT)).toEqual([]);
    visitor.relay.behave(() => undefined);
    await expectOut(visitor, tab, 'Waits');
  });

  test('is not sent if localStorage is cleared in the same task, on this page or the next', async () => {
    const visitor = await pages.visitor();
    const tab = await tracking(visitor);

    await tab.run(`const out = webengageRelay.optOut(); localStorage.clear(); await out`);
    await tab.run('localStorage.clear()');
    await expectOut(visitor, tab);
    await tab.go();

    await expectOut(visitor, tab);
  });
});

describe('if one store keeps nothing', () => {
  test.each([
    ['the database', NO_DATABASE],
    ['localStorage', NO_LOCAL_STORAGE],
  ])('%s: optOut() resolves, and the next page knows', async (_, before) => {
    const visitor = await pages.visitor();
    const tab = await tracking(visitor, before);

    await tab.run('await webengageRelay.optOut()');
    await tab.go({ before });
    const requests = visitor.relay.requests().length;
    await tab.run(`await webengageRelay.track('Never')`);
    await tab.flush();

    expect(visitor.relay.requests()).toHaveLength(requests);
  });

  test('both: optOut() rejects and says that the choice can’t be stored, and this page stops tracking all the same', async () => {
    const visitor = await pages.visitor();
    const tab = await tracking(visitor, `${NO_DATABASE} ${NO_LOCAL_STORAGE}`);
    const requests = visitor.relay.requests().length;

    const end = await tab.run(
      `return webengageRelay.optOut().then(() => 'resolved', (error) => 'rejected ' + error.message)`,
    );
    await tab.run(`await webengageRelay.track('Never')`);
    await tab.flush();

    expect(end).toMatch(/^rejected .{10,}/);
    expect(visitor.relay.requests()).toHaveLength(requests);
    expect(tab.errors).toEqual([]);
  });
});

describe('a worker', () => {
  async function withWorker(): Promise<{ visitor: Visitor; tab: Tab; path: string }> {
    const visitor = await pages.visitor();
    const tab = await tracking(visitor, WITH_WORKER);
    const path = visitor.site.addScript(workerCode(visitor.relay.url));
    await tab.run(
      `await startWorker('${path}'); await inWorker("await tracker.track('Worker before'); await tracker.flush()")`,
    );
    return { visitor, tab, path };
  }

  test('at work stops with optOut() on the page and makes no new database', async () => {
    const { visitor, tab } = await withWorker();

    await tab.run('await webengageRelay.optOut()');
    const requests = visitor.relay.requests().length;
    await tab.run(`await inWorker("await tracker.track('Never'); await tracker.flush()")`);

    expect(visitor.relay.requests()).toHaveLength(requests);
    expect(await tab.run(RECORDS_KEPT)).toEqual([]);
  });

  test('that tracks continuously stops, too', async () => {
    const { visitor, tab } = await withWorker();

    await tab.run(`await inWorker("self.ticking = setInterval(() => tracker.track('Tick'), 5)")`);
    await visitor.relay.have(['Tick']);
    await tab.run(`await webengageRelay.optOut(); await inWorker("await tracker.flush()")`);
    const requests = visitor.relay.requests().length;
    await tab.run(
      `await inWorker("await new Promise((done) => setTimeout(done, 300)); await tracker.flush()")`,
    );

    expect(visitor.relay.requests()).toHaveLength(requests);
    await tab.run(`await inWorker("clearInterval(ticking)")`);
    expect(await tab.run(RECORDS_KEPT)).toEqual([]);
  });

  test('that starts later knows the opt-out, even if localStorage was cleared', async () => {
    const { visitor, tab, path } = await withWorker();
    await tab.run('await webengageRelay.optOut(); localStorage.clear()');
    const requests = visitor.relay.requests().length;

    await tab.run(
      `await startWorker('${path}?again'); await inWorker("await tracker.track('Never'); await tracker.flush()")`,
    );

    expect(visitor.relay.requests()).toHaveLength(requests);
    expect(await tab.run(RECORDS_KEPT)).toEqual([]);
  });

  test('that opts out does so for the page and the next one', async () => {
    const { visitor, tab } = await withWorker();

    await tab.run(`await inWorker("await tracker.optOut()")`);
    await expectOut(visitor, tab);
    await tab.go();

    await expectOut(visitor, tab);
  });

  test('resumes with optIn() on the page, with new ids', async () => {
    const { visitor, tab } = await withWorker();
    const [device] = visitor.relay.devices();

    await tab.run(`await webengageRelay.optOut(); await webengageRelay.optIn(); await webengageRelay.track('Page again');
      await inWorker("await tracker.track('Worker again'); await tracker.flush()")`);
    await tab.flush();

    await visitor.relay.have(['Page again', 'Worker again']);
    expect(visitor.relay.ownerOf('Page again')).toMatch(/^anonymous /);
    expect(visitor.relay.ownerOf('Worker again')).toBe(visitor.relay.ownerOf('Page again'));
    expect(visitor.relay.devices().filter((other) => other !== device)).toHaveLength(1);
  });
});

test('a service worker stops with optOut() on the page', async () => {
  const visitor = await pages.visitor();
  const script = visitor.site.addScript(`importScripts('/dist/service-worker.js');
    tracker = webengageRelay.syncInBackground({ endpoint: '${visitor.relay.url}', maxWaitMs: 100, requestsPerMinute: 500, burst: 100 });`);
  const tab = await tracking(visitor);
  const started = visitor.context.waitForEvent('serviceworker');
  await tab.run(`await navigator.serviceWorker.register('${script}'); await navigator.serviceWorker.ready`);
  const worker = await started;
  await worker.evaluate(`tracker.track('Pushed').then(() => tracker.flush())`);
  await visitor.relay.have(['Pushed']);

  await tab.run('await webengageRelay.optOut()');
  const requests = visitor.relay.requests().length;
  await worker.evaluate(`tracker.track('Never').then(() => tracker.flush())`);

  expect(visitor.relay.requests()).toHaveLength(requests);
  expect(await tab.run(RECORDS_KEPT)).toEqual([]);
});

test('optIn() after optOut() starts afresh: a new anonymous visitor, and nothing from before', async () => {
  const visitor = await pages.visitor();
  const tab = await visitor.open();
  await tab.run(`await webengageRelay.track('Before')`);
  await tab.flush();

  await tab.run(
    `await webengageRelay.optOut(); await webengageRelay.optIn(); await webengageRelay.track('After')`,
  );
  await tab.flush();
  await tab.go();
  await tab.run(`await webengageRelay.track('Next page')`);
  await tab.flush();

  const { relay } = visitor;
  expect(relay.ownerOf('After')).not.toBe(relay.ownerOf('Before'));
  expect(relay.ownerOf('Next page')).toBe(relay.ownerOf('After'));
});

test('two tabs: optOut() in one stops the other with its next call', async () => {
  const visitor = await pages.visitor();
  const first = await tracking(visitor);
  const second = await visitor.open();

  await second.run('await webengageRelay.optOut(); localStorage.clear()');

  await expectOut(visitor, first);
});

describe('with the core alone', () => {
  test('an opt-out made with the full bundle holds', async () => {
    const visitor = await pages.visitor();
    const tab = await visitor.open({ bundle: 'tracker.full.js', options: { consent: 'pending' } });
    await tab.run(`await webengageRelay.optIn(); await webengageRelay.track('Before')`);
    await tab.flush();
    await tab.run('await webengageRelay.optOut()');

    await tab.go();

    await expectOut(visitor, tab);
  });

  test.each([
    ['consent', 'pending'],
    ['consent', 'denied'],
    ['respectGpc', 'true'],
    ['identityToken', 'getToken'],
  ])(
    'the setting %s=%s fails closed: nothing is stored or sent, and the error names tracker.full.js',
    async (name, value) => {
      const visitor = await pages.visitor();
      const tab = await visitor.open({
        options: { [name]: value },
        calls: `queued = webengageRelay.track('Queued').catch(String);`,
      });

      const end = await tab.run(
        `return [await queued, await webengageRelay.track('Never').then(() => 'resolved', String)]`,
      );
      await tab.leave(`webengageRelay.identify('ada').catch(() => {})`);

      expect(`${tab.errors} ${end}`).toContain('tracker.full.js');
      expect(visitor.relay.requests()).toEqual([]);
      // The page that it came to has a tracker of its own, with a visitor.
      const kept = await tab.run<string[]>(RECORDS_KEPT);
      expect(kept.filter((text) => /eventName|ada/.test(text))).toEqual([]);
    },
  );
});

describe('with the full bundle, consent pending', () => {
  const PENDING = { bundle: 'tracker.full.js', options: { consent: 'pending' } } as const;

  test('nothing is stored or sent before the visitor has chosen, even on unload', async () => {
    const visitor = await pages.visitor();
    const tab = await visitor.open({ ...PENDING, calls: `webengageRelay.track('Queued');` });

    await tab.leave(`webengageRelay.track('Left')`, PENDING);

    expect(visitor.relay.requests()).toEqual([]);
    expect(await tab.run('return [await indexedDB.databases(), Object.keys(localStorage)]')).toEqual([
      [],
      [],
    ]);
  });

  test('optIn() makes the waiting calls in order, and a later optOut() holds on a page that grants', async () => {
    const visitor = await pages.visitor();
    const tab = await visitor.open({
      ...PENDING,
      calls: `webengageRelay.track('One'); webengageRelay.identify('ada'); webengageRelay.track('Two');`,
    });

    await tab.run('await webengageRelay.optIn()');
    await tab.flush();
    expect(visitor.relay.names()).toEqual(['One', 'Two']);
    expect(visitor.relay.ownerOf('Two')).toBe('ada');
    await tab.run('await webengageRelay.optOut(); localStorage.clear()');
    await tab.go();

    await expectOut(visitor, tab);
  });
});
