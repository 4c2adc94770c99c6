import { describe, expect, test } from 'vitest';
import { until } from '../faults/until.ts';
import { blockingListener, CLOCK } from './harness/page-troubles.ts';
import { realPages } from './harness/real-pages.ts';
import { ZONES } from './harness/zones.ts';

// How the tracker behaves beside a page's other scripts, tabs and releases.

const pages = realPages();

const FIVE = [1, 2, 3, 4, 5];

// A page that is left before its database has answered sends nothing: its calls wait for the visitor's next page.
const KNOWN = 'await webengageRelay.stats()';

describe('another script’s slow unload listener', () => {
  const TRACK = FIVE.map((n) => `webengageRelay.track('Last ${n}');`).join(' ');

  test.each([
    ['150 ms', 150, 'visibilitychange', 'document'],
    ['500 ms', 500, 'visibilitychange', 'document'],
    ['150 ms, then the page tracks in pagehide', 150, 'pagehide', 'window'],
  ])('%s, then the page’s own tracks: 5 of 5 arrive', async (_, ms, name, target) => {
    const visitor = await pages.visitor();
    const tab = await visitor.open({ before: blockingListener(ms) });
    await tab.run(KNOWN);

    await tab.quit(`${target}.addEventListener('${name}', () => { ${TRACK} }, { once: true });`);

    await visitor.relay.have(FIVE.map((n) => `Last ${n}`));
    expect(visitor.relay.doubled()).toEqual([]);
  });

  test('the clock is set back by an hour in between: 5 of 5 arrive', async () => {
    const visitor = await pages.visitor();
    const tab = await visitor.open({ before: CLOCK });
    await tab.run(KNOWN);

    await tab.quit(
      `document.addEventListener('visibilitychange', () => { setClockOff(-3600000); ${TRACK} }, { once: true });`,
    );

    await visitor.relay.have(FIVE.map((n) => `Last ${n}`));
  });

  test('a page that was hidden for a while and tracks as it is closed: 5 of 5 arrive', async () => {
    const visitor = await pages.visitor();
    const tab = await visitor.open();

    await tab.run(`Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      await new Promise((done) => setTimeout(done, 400))`);
    await tab.quit(`addEventListener('pagehide', () => { ${TRACK} }, { once: true });`);

    await visitor.relay.have(FIVE.map((n) => `Last ${n}`));
  });
});

describe('listeners and middleware', () => {
  test('a listener that removes and adds itself is called once for each event', async () => {
    const visitor = await pages.quickVisitor();
    const tab = await visitor.open();

    await tab.run(`window.calls = 0; let off;
      const listen = () => { calls++; if (calls > 1000) throw new Error('endless'); off(); off = webengageRelay.on('delivered', listen); };
      off = webengageRelay.on('delivered', listen);
      await webengageRelay.track('One'); await webengageRelay.flush()`);

    expect(await tab.run('return calls')).toBe(1);
    await tab.run(`await webengageRelay.track('Two'); await webengageRelay.flush()`);
    expect(await tab.run('return calls')).toBe(2);
    expect(tab.errors).toEqual([]);
  });

  test('a listener that adds others, and one that removes others, harm no other', async () => {
    const visitor = await pages.quickVisitor();
    const tab = await visitor.open();

    await tab.run(`window.calls = [];
      webengageRelay.on('delivered', () => { calls.push('first'); for (let i = 0; i < 3; i++) webengageRelay.on('delivered', () => calls.push('added')); off(); });
      const off = webengageRelay.on('delivered', () => calls.push('second'));
      webengageRelay.on('delivered', () => calls.push('third'));
      await webengageRelay.track('One'); await webengageRelay.flush()`);

    const calls = await tab.run<string[]>('return calls');
    expect(calls.slice(0, 1)).toEqual(['first']);
    expect(calls).toContain('third');
    expect(calls).not.toContain('added');
  });

  test('middleware that removes and adds itself runs once for each call', async () => {
    const visitor = await pages.quickVisitor();
    const tab = await visitor.open();

    await tab.run(`window.calls = 0; let off;
      const look = () => { calls++; if (calls > 1000) throw new Error('endless'); off(); off = webengageRelay.use(look); };
      off = webengageRelay.use(look);
      await webengageRelay.track('One'); await webengageRelay.flush()`);

    expect(await tab.run('return calls')).toBe(1);
    expect(visitor.relay.names()).toEqual(['One']);
    expect(tab.errors).toEqual([]);
  });

  test('middleware that tracks inside itself ends, and its event arrives', async () => {
    const visitor = await pages.quickVisitor();
    const tab = await visitor.open();

    await tab.run(`webengageRelay.use((call) => { if (call.eventName === 'One') webengageRelay.track('Also'); });
      await webengageRelay.track('One'); await webengageRelay.flush()`);

    expect([...visitor.relay.names()].sort()).toEqual(['Also', 'One']);
  });

  test.each([
    ['a call of an unknown kind', `({ ...call, kind: 'page' })`],
    ['a kind that is not its own', `Object.create({ kind: 'event' })`],
    ['text', `'event'`],
    ['a promise', `Promise.resolve(call)`],
    ['true', 'true'],
    ['an event without a name', `({ kind: 'event' })`],
  ])('middleware that returns %s: the event is unchanged, and the page gets an error', async (_, answer) => {
    const visitor = await pages.quickVisitor();
    const tab = await visitor.open();

    await tab.run(`webengageRelay.use((call) => (${answer})); await webengageRelay.track('Goes', { n: 1 })`);
    await tab.flush();

    expect(visitor.relay.events()).toMatchObject([{ eventName: 'Goes', eventData: { n: 1 } }]);
    await until('the page gets the error', () => tab.errors.length > 0, 2_000);
  });

  test('one function used twice is two middlewares, and each is removed by itself', async () => {
    const visitor = await pages.quickVisitor();
    const tab = await visitor.open();

    await tab.run(`const add = (call) => ({ ...call, eventData: { n: (call.eventData?.n ?? 0) + 1 } });
      const first = webengageRelay.use(add); const second = webengageRelay.use(add);
      await webengageRelay.track('Twice'); first(); first(); await webengageRelay.track('Once'); second(); await webengageRelay.track('Never')`);
    await tab.flush();

    expect(visitor.relay.events().map(({ eventData }) => eventData?.n)).toEqual([2, 1, undefined]);
  });
});

describe('six tabs', () => {
  // What takes the tracker seconds takes these pages tenths: timers and time limits, and nothing else.
  const HASTE = `(function (timer, limit) {
    window.setTimeout = function (run, ms) { return timer(run, ms / 15); };
    AbortSignal.timeout = function (ms) { return limit.call(AbortSignal, ms / 15); };
  })(window.setTimeout, AbortSignal.timeout);`;

  test('with a slow relay: one request at a time, and each event once', async () => {
    const visitor = await pages.visitor();
    visitor.relay.behave(() => ({ afterMs: 550 }));
    const options = { batchSize: 1 };
    const tabs = await Promise.all(FIVE.concat(6).map(() => visitor.open({ before: HASTE, options })));

    await Promise.all(
      tabs.map((tab, n) =>
        tab.run(`await webengageRelay.track('Tab ${n}'); await webengageRelay.track('Again ${n}')`),
      ),
    );
    for (const tab of tabs) tab.run('await webengageRelay.flush()').catch(() => {});

    await visitor.relay.have(
      tabs.flatMap((_, n) => [`Tab ${n}`, `Again ${n}`]),
      25_000,
    );
    expect(visitor.relay.mostAtOnce()).toBe(1);
    expect(visitor.relay.doubled()).toEqual([]);
    expect(visitor.relay.duplicates()).toBe(0);
  });
});

describe('a database of a newer release', () => {
  /** Opens every database under a higher version, as a newer release would. */
  const UPGRADE = `for (const { name, version } of await indexedDB.databases())
    await new Promise((done, failed) => {
      const request = indexedDB.open(name, version + 1);
      request.onsuccess = () => { request.result.close(); done(); };
      request.onerror = () => failed(request.error);
    });`;

  test('is used: its records arrive, new ones are durable, and nothing is reported as degraded', async () => {
    const visitor = await pages.visitor();
    visitor.relay.behave(() => ({ what: 'drop' }));
    const tab = await visitor.open();
    await tab.run(`await webengageRelay.identify('ada'); await webengageRelay.track('Lay there')`);
    await tab.quit('');
    await tab.run(UPGRADE);

    visitor.relay.behave(() => undefined);
    await tab.go();
    await tab.run(`await webengageRelay.track('New')`);
    await tab.flush();

    await visitor.relay.have(['Lay there', 'New'], 15_000);
    expect(visitor.relay.ownerOf('New')).toBe('ada');
    expect(await tab.reported('degraded')).toEqual([]);
    expect(visitor.relay.doubled()).toEqual([]);
  });

  test('that appears while a page is open does not stop that page', async () => {
    const visitor = await pages.visitor();
    const tab = await visitor.open();
    await tab.run(`await webengageRelay.track('Before')`);
    await tab.flush();

    await tab.run(UPGRADE);
    await tab.run(`await webengageRelay.track('After')`);
    await tab.flush();
    await tab.quit(`webengageRelay.track('Left')`);

    await visitor.relay.have(['Before', 'After', 'Left']);
    expect(visitor.relay.doubled()).toEqual([]);
    expect(visitor.relay.devices()).toHaveLength(1);
  });
});

describe('a page with zones, as Angular has', () => {
  const PATIENT = { maxWaitMs: 60_000 };

  test.each([
    ['loaded before the tracker', true],
    ['loaded after the tracker', false],
  ])('%s: a call leaves no timer in the caller’s zone, and the app is stable', async (_, isFirst) => {
    const visitor = await pages.quickVisitor();
    const tab = await visitor.open({ ...(isFirst && { before: ZONES }), options: PATIENT });
    if (!isFirst) await tab.run(ZONES);

    await tab.run(`await new Promise((done, failed) => angularZone.run(() => {
      webengageRelay.identify('ada'); webengageRelay.track('In the zone').then(done, failed); }))`);

    await until('the zone is stable', async () => (await tab.run('return angularZone.pending')) === 0, 2_000);
    await tab.flush();
    expect(visitor.relay.names()).toEqual(['In the zone']);
  });

  test('a tracker made in the caller’s zone keeps its timers out of it, also during retries', async () => {
    const visitor = await pages.quickVisitor();
    visitor.relay.behave(() => ({ what: 'drop' }));
    const tab = await visitor.open({ before: ZONES });

    await tab.run(`angularZone.run(() => {
      window.second = webengageRelay.createTracker({ endpoint: '${visitor.relay.url}', maxWaitMs: 100 });
      second.track('Retried');
    });
    await second.flush()`);

    expect(await tab.run('return angularZone.pending')).toBe(0);
    visitor.relay.behave(() => undefined);
    await visitor.relay.have(['Retried'], 15_000);
    await until('the zone is stable', async () => (await tab.run('return angularZone.pending')) === 0, 2_000);
  });

  test('a page whose Zone is something else is not disturbed', async () => {
    const visitor = await pages.quickVisitor();
    const tab = await visitor.open({ before: `window.Zone = { current: 'Berlin', root: { run: 'no' } };` });

    await tab.run(`await webengageRelay.track('Zone')`);

    expect(await tab.flush()).toEqual({ settled: true });
    expect(tab.errors).toEqual([]);
  });
});

test('a burst far over the cap: the oldest records are dropped and reported, nothing is thrown, the newest arrive', async () => {
  const visitor = await pages.quickVisitor();
  const tab = await visitor.open({ options: { maxRecords: 100 } });
  visitor.relay.behave(() => ({ what: { status: 503, body: '', headers: { 'Retry-After': '2' } } }));

  await tab.run(
    `for (let n = 0; n < 20000; n++) webengageRelay.track('Burst', { n }); await webengageRelay.track('Newest')`,
  );
  await until(
    'the oldest have given way',
    async () => (await tab.run<number>('return (await webengageRelay.stats()).buffered')) <= 100,
    20_000,
  );
  visitor.relay.behave(() => undefined);

  await visitor.relay.have(['Newest'], 30_000);
  const dropped = await tab.reported('dropped');
  expect(new Set(dropped.map(({ about }) => about.reason))).toEqual(new Set(['over_max_records']));
  expect(tab.errors).toEqual([]);
});
