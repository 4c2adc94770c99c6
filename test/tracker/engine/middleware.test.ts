import { describe, expect, test } from 'vitest';
import type { Middleware, TrackerCall } from '../../../src/tracker/index.ts';
import { resolveOptions } from '../../../src/tracker/options.ts';
import { startTracker } from '../../../src/tracker/tracker.ts';
import { fakePlatform } from '../../fakes/platform.ts';

function newTracker() {
  const { platform, relay, reported } = fakePlatform();
  const tracker = startTracker(resolveOptions({ endpoint: 'https://t.example.com' }), platform);
  async function sent() {
    await tracker.flush();
    return relay.requests.flatMap(({ records }) => records);
  }
  return { tracker, sent, reported };
}

/** Middleware that adds a property to every event. */
const add =
  (name: string, value: unknown): Middleware =>
  (call) =>
    call.kind === 'event' ? { ...call, eventData: { ...call.eventData, [name]: value } } : call;

const refuse = (eventName: string): Middleware => {
  return (call) => (call.kind === 'event' && call.eventName === eventName ? null : undefined);
};

describe('middleware', () => {
  test('adds to an event, and gets the page’s own values', async () => {
    const { tracker, sent } = newTracker();
    const asked: TrackerCall[] = [];
    tracker.use((call) => void asked.push(call));
    tracker.use(add('Store', 'Berlin'));

    await tracker.track('Bought', { Price: 1 });
    await tracker.track('Left');

    expect(asked).toEqual([
      { kind: 'event', eventName: 'Bought', eventData: { Price: 1 }, page: document.URL },
      { kind: 'event', eventName: 'Left', page: document.URL },
    ]);
    expect(await sent()).toMatchObject([
      { eventName: 'Bought', eventData: { Price: 1, Store: 'Berlin' } },
      { eventName: 'Left', eventData: { Store: 'Berlin' } },
    ]);
  });

  test('changes the user who is identified, and the profile', async () => {
    const { tracker, sent } = newTracker();
    tracker.use((call) =>
      call.kind === 'user' ? { ...call, userId: `shop-${call.userId}`, profile: {} } : undefined,
    );

    await tracker.identify('johndoe', { email: 'john@doe.com' });
    await tracker.track('Bought');

    const [user, event] = await sent();
    expect(user).toMatchObject({ kind: 'user', userId: 'shop-johndoe' });
    expect(user).not.toHaveProperty('email');
    expect(event).toMatchObject({ userId: 'shop-johndoe' });
  });

  test('sees a call before it is checked, and its result is checked', async () => {
    const { tracker, sent } = newTracker();
    const rename: Middleware = (call) =>
      call.kind === 'event' ? { ...call, eventName: call.eventName.replace('we_', '') } : call;

    const end = tracker.use(rename);
    await tracker.track('we_bought');
    end();
    tracker.use((call) => ({ ...call, eventName: 'x'.repeat(1_000) }));

    await expect(tracker.track('Bought')).rejects.toThrow('eventName must be text');
    expect(await sent()).toMatchObject([{ eventName: 'bought' }]);
  });

  test('runs at the call, so that it sees the page as it was then', async () => {
    const { tracker, sent } = newTracker();
    let page = 'shelf';
    tracker.use((call) => add('Page', page)(call));

    void tracker.track('Bought');
    page = 'cart';
    void tracker.track('Bought');

    expect(await sent()).toMatchObject([{ eventData: { Page: 'shelf' } }, { eventData: { Page: 'cart' } }]);
  });

  test('gets the page’s address at the call, even after middleware that rebuilt the call', async () => {
    const { tracker } = newTracker();
    const pages: unknown[] = [];
    tracker.use(({ page }) => void pages.push(page));
    tracker.use(() => ({ kind: 'event', eventName: 'Bought' }));
    tracker.use(({ page }) => void pages.push(page));
    const queued = tracker.madeAt(0, 'https://shop.example.com/shelf');

    await queued.track('Looked');
    await tracker.identify('johndoe');

    expect(pages).toEqual([...Array(2).fill('https://shop.example.com/shelf'), document.URL, document.URL]);
  });

  test('no longer runs once it has been removed', async () => {
    const { tracker, sent } = newTracker();
    const end = tracker.use(add('Store', 'Berlin'));

    end();
    await tracker.track('Bought', { Price: 1 });

    expect(await sent()).toMatchObject([{ eventData: { Price: 1 } }]);
    expect((await sent())[0]).not.toHaveProperty('eventData.Store');
  });
});

test('middleware runs in the order in which it was added, each with the previous result', async () => {
  const { tracker, sent } = newTracker();
  tracker.use(add('Store', 'Berlin'));
  tracker.use(add('Store', 'Paris'));

  await tracker.track('Bought');

  expect(await sent()).toMatchObject([{ eventData: { Store: 'Paris' } }]);
});

describe('a call that middleware refuses', () => {
  test('resolves, reaches no later middleware, and is counted nowhere', async () => {
    const { tracker, sent } = newTracker();
    const later: TrackerCall[] = [];
    tracker.use(refuse('Clicked'));
    tracker.use((call) => void later.push(call));

    await tracker.track('Clicked');
    await tracker.track('Bought');

    expect(await sent()).toMatchObject([{ eventName: 'Bought' }]);
    expect(later).toHaveLength(1);
    expect(await tracker.stats()).toMatchObject({ tracked: 1, delivered: 1 });
  });

  test('signs nobody in', async () => {
    const { tracker, sent } = newTracker();
    tracker.use(({ kind }) => (kind === 'user' ? null : undefined));

    await tracker.identify('johndoe');
    await tracker.track('Bought');

    expect((await sent()).map(({ userId }) => userId)).toEqual([undefined]);
  });
});

test('middleware that throws is reported, and the call continues unchanged', async () => {
  const { tracker, sent, reported } = newTracker();
  tracker.use(add('Store', 'Berlin'));
  tracker.use(() => {
    throw new Error('the page’s own');
  });
  tracker.use(add('Channel', 'Web'));

  await tracker.track('Bought');

  expect(await sent()).toMatchObject([{ eventData: { Store: 'Berlin', Channel: 'Web' } }]);
  expect(reported).toEqual([new Error('the page’s own')]);
});

test.each([
  ['a promise', async () => null],
  ['something else', () => 'Bought'],
])('middleware that returns %s is reported, and changes nothing', async (_, step) => {
  const { tracker, sent, reported } = newTracker();
  tracker.use(step as unknown as Middleware);

  await tracker.track('Bought');

  expect(await sent()).toMatchObject([{ eventName: 'Bought' }]);
  expect(reported).toEqual([new TypeError('middleware must return a call, null or nothing')]);
});

test('middleware that returns false, as `condition && null` does, changes nothing', async () => {
  const { tracker, sent, reported } = newTracker();
  tracker.use((() => false) as unknown as Middleware);

  await tracker.track('Bought');

  expect([await sent(), reported]).toMatchObject([[{ eventName: 'Bought' }], []]);
});

test('middleware that is removed and added again during its run does not run again for the same call', async () => {
  const { tracker, sent } = newTracker();
  let asked = 0;
  const again: Middleware = () => {
    asked += 1;
    end();
    end = tracker.use(again);
    return undefined;
  };
  let end = tracker.use(again);

  await tracker.track('Bought');

  expect(await sent()).toHaveLength(1);
  expect(asked).toBe(1);
});

test('one function that is added twice runs twice, and each is removed by itself', async () => {
  const { tracker, sent } = newTracker();
  const twice: Middleware = (call) =>
    call.kind === 'event' ? { ...call, eventName: `${call.eventName}!` } : call;
  const end = tracker.use(twice);
  tracker.use(twice);

  await tracker.track('Bought');
  end();
  end();
  await tracker.track('Bought');

  expect(await sent()).toMatchObject([{ eventName: 'Bought!!' }, { eventName: 'Bought!' }]);
});

test('an unknown kind of call from middleware changes nothing', async () => {
  const { tracker, sent, reported } = newTracker();
  tracker.use(((call: TrackerCall) => ({ ...call, kind: 'page' })) as unknown as Middleware);

  await tracker.track('Bought');

  expect(await sent()).toMatchObject([{ eventName: 'Bought' }]);
  expect(reported).toHaveLength(1);
});
