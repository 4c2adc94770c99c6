import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { watchAddress } from '../../src/page-views/address-changes.ts';
import {
  type PageViewOptions,
  type PageViewTracker,
  trackPageViews,
} from '../../src/page-views/page-views.ts';
import type { Tracker } from '../../src/tracker/index.ts';
import { listeningTracker, taskDone } from '../fakes/browser/page-views.ts';

const ORIGIN = 'https://shop.example.com';
const TITLE_WITHIN_MS = 500;
const LOOK_EVERY_MS = 50;
const ends: (() => void)[] = [];

function begin(options: PageViewOptions = {}) {
  const heard = listeningTracker();
  const end = trackPageViews(heard.tracker, options);
  ends.push(end);
  return { ...heard, end };
}

function page(state: { readonly prerendering?: boolean; readonly referrer?: string }) {
  for (const [name, value] of Object.entries(state))
    Object.defineProperty(document, name, { value, configurable: true });
}

const toWindow = (name: string, more: object = {}) =>
  window.dispatchEvent(Object.assign(new Event(name), more));

/** Navigates as a router does that renders at once: each page has a title of its own. */
function goTo(address: string): void {
  history.pushState(null, '', address);
  document.title = address;
}

beforeEach(() => {
  (window as unknown as { happyDOM: { setURL(url: string): void } }).happyDOM.setURL(`${ORIGIN}/start`);
  document.title = 'The start';
});

afterEach(() => {
  for (const end of ends.splice(0)) end();
  page({ prerendering: false, referrer: '' });
});

describe('the loaded page', () => {
  test('counts at once, with the visitor’s referrer', () => {
    page({ referrer: 'https://search.example.com/?q=john%40doe.com' });
    history.replaceState(null, '', '/start?utm_source=mail&token=x');
    const { names, views } = begin();

    expect(names).toEqual(['Page Viewed']);
    expect(views).toEqual([
      {
        URL: `${ORIGIN}/start`,
        Path: '/start',
        Title: 'The start',
        Referrer: 'https://search.example.com/',
        utm_source: 'mail',
      },
    ]);
  });

  test('reports no title and no previous page if it has none', () => {
    document.title = '';

    expect(begin().views).toEqual([{ URL: `${ORIGIN}/start`, Path: '/start' }]);
  });

  test('counts under the name that the site gives', () => {
    expect(begin({ eventName: 'Screen Seen' }).names).toEqual(['Screen Seen']);
  });

  test('counts when the visitor comes to it if it was prerendered, as it is then', async () => {
    page({ prerendering: true });
    const { paths } = begin();
    history.pushState(null, '', '/later');
    await taskDone();
    const ahead = paths();

    page({ prerendering: false });
    document.dispatchEvent(new Event('prerenderingchange'));
    goTo('/last');
    await taskDone();

    expect([ahead, paths()]).toEqual([[], ['/later', '/last']]);
  });

  test('never counts if it was prerendered and ends before the visitor comes to it', () => {
    page({ prerendering: true });
    const { end, paths } = begin();

    end();
    document.dispatchEvent(new Event('prerenderingchange'));

    expect(paths()).toEqual([]);
  });
});

test('a page restored from the back/forward cache counts again, and one that becomes visible does not', () => {
  page({ referrer: 'https://search.example.com/' });
  const { views } = begin();

  toWindow('pageshow', { persisted: false });
  toWindow('pageshow', { persisted: true });

  expect(views).toHaveLength(2);
  expect(views[1]).toEqual({ URL: `${ORIGIN}/start`, Path: '/start', Title: 'The start' });
});

test('a page left in the task of its navigation is counted once', async () => {
  const { paths } = begin();

  history.pushState(null, '', '/last');
  toWindow('pagehide');
  const left = paths();
  toWindow('pagehide');
  await taskDone();

  expect([left, paths()]).toEqual([['/start', '/last'], []]);
});

describe('a page that a router goes to before it has rendered it', () => {
  const titles = (views: readonly Record<string, unknown>[]) => views.map(({ Path, Title }) => [Path, Title]);

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('counts once it has a title of its own', async () => {
    const { views } = begin();

    history.pushState(null, '', '/mug');
    await vi.advanceTimersByTimeAsync(TITLE_WITHIN_MS - 100);
    const before = views.length;
    document.title = 'A mug';
    await vi.advanceTimersByTimeAsync(LOOK_EVERY_MS);
    const then = titles(views);
    await vi.advanceTimersByTimeAsync(TITLE_WITHIN_MS);

    expect(before).toBe(1);
    expect(then).toEqual([
      ['/start', 'The start'],
      ['/mug', 'A mug'],
    ]);
    expect(views).toHaveLength(2);
  });

  test('counts after half a second if its title is that of the page before', async () => {
    const { paths } = begin();

    history.pushState(null, '', '/mug');
    await vi.advanceTimersByTimeAsync(TITLE_WITHIN_MS - 1);
    const before = paths();
    // Its place in the page, as routers keep it.
    history.replaceState({ scroll: 9 }, '');
    await vi.advanceTimersByTimeAsync(1);

    expect([before, paths()]).toEqual([['/start'], ['/mug']]);
  });

  test('does not count with a title that the page before was given late', async () => {
    const { views } = begin();
    document.title = 'The start, with 3 offers';

    history.pushState(null, '', '/mug');
    await vi.advanceTimersByTimeAsync(1);
    const before = views.length;
    document.title = 'A mug';
    await vi.advanceTimersByTimeAsync(TITLE_WITHIN_MS);

    expect([before, views.at(-1)?.Title]).toEqual([1, 'A mug']);
  });

  test('counts when the visitor leaves it for another page that has no title yet', async () => {
    const { views } = begin();

    history.pushState(null, '', '/moved');
    await vi.advanceTimersByTimeAsync(1);
    history.pushState(null, '', '/mug');
    await vi.advanceTimersByTimeAsync(1);
    const before = views.length;
    document.title = 'A mug';
    await vi.advanceTimersByTimeAsync(TITLE_WITHIN_MS);

    expect(before).toBe(2);
    expect(titles(views)).toEqual([
      ['/start', 'The start'],
      ['/moved', 'The start'],
      ['/mug', 'A mug'],
    ]);
  });

  test('counts when the visitor leaves the site', async () => {
    const { paths } = begin();

    history.pushState(null, '', '/mug');
    await vi.advanceTimersByTimeAsync(1);
    toWindow('pagehide');
    const left = paths();
    await vi.advanceTimersByTimeAsync(TITLE_WITHIN_MS);

    expect([left, paths()]).toEqual([['/start', '/mug'], []]);
  });

  test('does not count after the end', async () => {
    const { end, paths } = begin();

    history.pushState(null, '', '/mug');
    await vi.advanceTimersByTimeAsync(1);
    end();
    document.title = 'A mug';
    await vi.advanceTimersByTimeAsync(TITLE_WITHIN_MS);

    expect(paths()).toEqual(['/start']);
  });
});

test('another value of a parameter that the site names is another page', async () => {
  const { views } = begin({ query: ['page'] });

  goTo('/start?page=2&q=x');
  await taskDone();
  goTo('/start?page=2&q=y');
  await taskDone();

  expect(views.map(({ URL }) => URL)).toEqual([`${ORIGIN}/start`, `${ORIGIN}/start?page=2`]);
});

test('parts that the site’s own rule removes are never reported, for the page or the previous one', async () => {
  page({ referrer: `${ORIGIN}/users/john` });
  const redact = (address: URL) => {
    address.pathname = address.pathname.replace('john', ':id');
  };
  const { views } = begin({ redact });

  goTo('/users/john/orders');
  await taskDone();
  goTo('/cart');
  await taskDone();

  expect(views.map(({ URL, Referrer }) => [URL, Referrer])).toEqual([
    [`${ORIGIN}/start`, `${ORIGIN}/users/:id`],
    [`${ORIGIN}/users/:id/orders`, `${ORIGIN}/start`],
    [`${ORIGIN}/cart`, `${ORIGIN}/users/:id/orders`],
  ]);
});

test('a failing rule of the site reports no page, throws nothing into the page, and is logged once', async () => {
  const reported: unknown[] = [];
  const report = (error: unknown) => reported.push(error);
  process.on('unhandledRejection', report);
  const { views } = begin({
    redact: () => {
      throw new Error('the page’s own');
    },
  });

  history.pushState(null, '', '/cart');
  await taskDone();
  process.off('unhandledRejection', report);

  expect(views).toEqual([]);
  expect(reported).toEqual([new Error('the page’s own')]);
});

test('a rule of the site that fails for one page costs no other page its count', async () => {
  const report = () => {};
  process.on('unhandledRejection', report);
  const { paths } = begin({
    redact: ({ pathname }) => {
      if (pathname === '/cart') throw new Error('the page’s own');
    },
  });

  goTo('/cart');
  await taskDone();
  goTo('/products');
  await taskDone();
  process.off('unhandledRejection', report);

  expect(paths()).toEqual(['/start', '/products']);
});

test('a tracker that refuses each page view is logged once, and still gets each page', async () => {
  const reported: unknown[] = [];
  const report = (error: unknown) => reported.push(error);
  process.on('unhandledRejection', report);
  let calls = 0;
  const track = () => {
    calls += 1;
    return Promise.reject(new Error('tracker.js did not load'));
  };
  ends.push(trackPageViews({ track }));

  goTo('/cart');
  await taskDone();
  await taskDone();
  process.off('unhandledRejection', report);

  expect([calls, reported]).toEqual([2, [new Error('tracker.js did not load')]]);
});

test.each([
  ['hidden by a form of that name', Object.assign(document.createElement('form'), { name: 'referrer' })],
  ['hidden by an image of that name', document.createElement('img')],
])('a referrer that is %s costs the page view nothing', (_, referrer) => {
  Object.defineProperty(document, 'referrer', { value: referrer, configurable: true });

  expect(begin().views).toEqual([{ URL: `${ORIGIN}/start`, Path: '/start', Title: 'The start' }]);
});

describe('`history` without a Navigation API', () => {
  test('is unchanged once tracking has ended', () => {
    const { pushState, replaceState } = history;
    const { end } = begin();
    expect(history.pushState).not.toBe(pushState);

    end();

    expect(history).toMatchObject({ pushState, replaceState });
    expect(Object.hasOwn(history, 'pushState')).toBe(false);
  });

  test('is restored to what others had made of it before', () => {
    const theirs = vi.fn(history.pushState);
    history.pushState = theirs;
    const { end } = begin();

    history.pushState({ n: 1 }, '', '/products');
    end();

    expect(theirs.mock.calls).toEqual([[{ n: 1 }, '', '/products']]);
    expect(history.pushState).toBe(theirs);
    Reflect.deleteProperty(history, 'pushState');
  });

  test('stays as others have changed it since, and still leads to the page', async () => {
    const { end, paths } = begin();
    const ours = history.pushState;
    const theirs = function (this: History, ...change: Parameters<typeof ours>) {
      return ours.apply(this, change);
    };
    history.pushState = theirs;

    end();
    history.pushState(null, '', '/products');
    await taskDone();

    expect(history.pushState).toBe(theirs);
    expect(location.pathname).toBe('/products');
    expect(paths()).toEqual(['/start']);
    Reflect.deleteProperty(history, 'pushState');
  });

  test('stays unchanged if a page has locked it, without an exception, and going back still counts', async () => {
    const { pushState } = history;
    Object.defineProperty(history, 'pushState', { value: pushState, writable: false, configurable: true });
    const { paths } = begin();

    history.pushState(null, '', '/products');
    toWindow('popstate');
    document.title = 'Products';
    await taskDone();
    Reflect.deleteProperty(history, 'pushState');

    expect(paths()).toEqual(['/start', '/products']);
  });

  test('still throws what it threw, and that does not count', async () => {
    const { paths } = begin();

    expect(() => history.pushState(() => {}, '', 'https://elsewhere.example.com/')).toThrow();
    await taskDone();

    expect(paths()).toEqual(['/start']);
  });
});

test('no change is reported after the end, even if others still call the hook', () => {
  const life = new AbortController();
  const changed = vi.fn();
  watchAddress(changed, life.signal);
  const { pushState } = history;
  pushState.call(history, null, '', '/products');

  life.abort();
  pushState.call(history, null, '', '/cart');
  for (const name of ['popstate', 'hashchange']) toWindow(name);

  expect(location.pathname).toBe('/cart');
  expect(changed).toHaveBeenCalledOnce();
});

test('on a server nothing happens', () => {
  vi.stubGlobal('document', undefined);

  const { views, end } = begin();
  end();
  vi.unstubAllGlobals();

  expect(views).toEqual([]);
});

test('any tracker works, whatever its events are', () => {
  type ShopEvents = { Bought: { Price: number } };

  expectTypeOf<Tracker<ShopEvents>>().toExtend<PageViewTracker>();
  expectTypeOf<Tracker>().toExtend<PageViewTracker>();
});
