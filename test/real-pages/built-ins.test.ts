import { describe, expect, test } from 'vitest';
import { secondsFrom } from './harness/instants.ts';
import { LIBRARIES } from './harness/libraries.ts';
import { realPages } from './harness/real-pages.ts';
import { GLOBALS, RECIPES } from './harness/recipes.ts';
import type { Tab, Visitor } from './harness/visitor.ts';

// What a page has done to its built-ins changes no record, and breaks none.

const pages = realPages();

const EVENT_DATA = `{
  text: 'A mug, "blue"', price: 39.8, zero: 0, empty: '', inStock: true, sold: false,
  tags: ['a', 'b'], lines: [{ sku: '1', count: 2 }, { sku: '2', count: 0 }], nested: { deep: { list: [1, 2, 3] } },
  when: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)) }`;

const PROFILE = `{
  firstName: 'Ada', emailOptIn: true, birthDate: new Date(Date.UTC(1990, 4, 17)),
  attributes: { plan: 'Premium', points: 0, tags: ['x'], since: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)) } }`;

const EVENT_DATA_RECEIVED = {
  text: 'A mug, "blue"',
  price: 39.8,
  zero: 0,
  empty: '',
  inStock: true,
  sold: false,
  tags: ['a', 'b'],
  lines: [
    { sku: '1', count: 2 },
    { sku: '2', count: 0 },
  ],
  nested: { deep: { list: [1, 2, 3] } },
  when: '2026-01-02T08:34:05+0530',
};

const USER_RECEIVED = {
  userId: 'ada',
  firstName: 'Ada',
  emailOptIn: true,
  birthDate: '1990-05-17T05:30:00+0530',
  attributes: { plan: 'Premium', points: 0, tags: ['x'], since: '2026-01-02T08:34:05+0530' },
};

// Neither waits for the other: what the page does to itself lasts for the whole call.
const CALLS = `await Promise.all([webengageRelay.identify('ada', ${PROFILE}), webengageRelay.track('Bought', ${EVENT_DATA})]);`;

/** Ends with the page's calls delivered as a clean page's are, and nothing thrown into it. */
async function expectAsInCleanPage(tab: Tab, { relay }: Visitor): Promise<void> {
  await tab.run(CALLS);

  expect(await tab.flush()).toEqual({ settled: true });

  expect(relay.users()).toMatchObject([USER_RECEIVED]);
  const [bought, ...others] = relay.events().filter(({ eventName }) => eventName === 'Bought');
  expect(others).toEqual([]);
  expect(bought).toMatchObject({ userId: 'ada', eventData: EVENT_DATA_RECEIVED });
  expect(bought?.eventData).toEqual(EVENT_DATA_RECEIVED);
  expect(secondsFrom(bought?.eventTime, Date.now())).toBeLessThan(5);
  expect(bought?.eventTime).toMatch(/\+0530$/);
  expect(await tab.reported('repaired')).toEqual([]);
  expect(await tab.reported('rejected')).toEqual([]);
  expect(tab.errors).toEqual([]);
}

const HOSTILE = { ...LIBRARIES, ...RECIPES };

describe.each(Object.entries(HOSTILE))('%s', (_, script) => {
  test('before the tracker has loaded: records arrive as from a clean page', async () => {
    const visitor = await pages.quickVisitor();

    const tab = await visitor.open({
      before: script,
      calls: `webengageRelay.track('Queued', ${EVENT_DATA});`,
    });

    await expectAsInCleanPage(tab, visitor);
    const queued = visitor.relay.events().find(({ eventName }) => eventName === 'Queued');
    expect(queued?.eventData).toEqual(EVENT_DATA_RECEIVED);
  });

  test('after the tracker has loaded: records arrive as from a clean page', async () => {
    const visitor = await pages.quickVisitor();
    const tab = await visitor.open();

    await tab.run(script);

    await expectAsInCleanPage(tab, visitor);
  });
});

describe.each(Object.entries(GLOBALS))('the page has %s', (_, script) => {
  test('before the tracker has loaded: records arrive', async () => {
    const visitor = await pages.quickVisitor();

    const tab = await visitor.open({ before: script });

    await expectAsInCleanPage(tab, visitor);
  });

  test('after the tracker has loaded: records arrive', async () => {
    const visitor = await pages.quickVisitor();
    const tab = await visitor.open();

    await tab.run(script);

    await expectAsInCleanPage(tab, visitor);
  });
});

const LEAVING = [
  'Prototype.js 1.6',
  'Prototype.js 1.7',
  'MooTools 1.4 with its dates',
  'Object.prototype.toJSON',
  'all prototypes frozen',
] as const;

describe.each(LEAVING)('%s, and the page is left in the task of the call', (name) => {
  test('records arrive once, as from a clean page', async () => {
    const { relay, open } = await pages.quickVisitor();
    const tab = await open({ before: HOSTILE[name] ?? '' });

    await tab.leave(
      `webengageRelay.identify('ada', ${PROFILE}); webengageRelay.track('Bought', ${EVENT_DATA});`,
    );
    await tab.flush();

    await relay.have(['Bought']);
    expect(relay.events()).toHaveLength(1);
    expect(relay.events()[0]?.eventData).toEqual(EVENT_DATA_RECEIVED);
    expect(relay.ownerOf('Bought')).toBe('ada');
    expect(relay.users()).toMatchObject([USER_RECEIVED]);
  });

  test('records that could not reach the relay are sent by the next such page', async () => {
    const { relay, open } = await pages.quickVisitor();
    const before = HOSTILE[name] ?? '';
    const tab = await open({ before });
    relay.behave(() => ({ what: 'drop' }));

    await tab.leave(`webengageRelay.track('Bought', ${EVENT_DATA});`, { before });
    relay.behave(() => undefined);

    await relay.have(['Bought']);
    expect(relay.events()).toHaveLength(1);
    expect(relay.events()[0]?.eventData).toEqual(EVENT_DATA_RECEIVED);
  });
});

describe('the page breaks the body of a request, so that the relay refuses the batch as a whole', () => {
  const SPOIL = `(function (fetch) {
    window.isSpoilt = true;
    window.fetch = function (url, init) {
      return fetch.call(window, url, isSpoilt && init && init.body ? Object.assign({}, init, { body: spoil(init.body) }) : init);
    };
  })(window.fetch);`;

  test.each([
    [
      'records are text',
      `JSON.stringify({ ...JSON.parse(body), records: JSON.stringify(JSON.parse(body).records) })`,
    ],
    ['the device is missing', `JSON.stringify({ ...JSON.parse(body), device: undefined })`],
    ['the body is not JSON', `body.slice(1)`],
    ['the version is another', `body.replace('"v":1', '"v":2')`],
  ])('%s: every record is kept and reported, and arrives once the page is fixed', async (_, spoilt) => {
    const { relay, open } = await pages.quickVisitor();
    const tab = await open({ before: `${SPOIL} window.spoil = function (body) { return ${spoilt}; };` });
    await tab.run(`await Promise.all([1, 2, 3].map((n) => webengageRelay.track('Kept ' + n)))`);

    const end = await tab.flush();
    const events = await tab.reported();
    await tab.run('isSpoilt = false');

    expect(end).toMatchObject({ settled: false });
    expect(events.filter(({ name }) => name === 'rejected' || name === 'dropped')).toEqual([]);
    expect(events.filter(({ name }) => name === 'retrying')).not.toEqual([]);
    await relay.have(['Kept 1', 'Kept 2', 'Kept 3'], 12_000);
    expect(relay.doubled()).toEqual([]);
  });
});
