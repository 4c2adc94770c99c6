import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type PageViewOptions, trackPageViews } from '../../src/page-views/page-views.ts';
import { listeningTracker, taskDone } from '../fakes/browser/page-views.ts';
import { onSpoiltPage, SPOILT_PAGES } from '../fakes/browser/spoilt-page.ts';

const home = location.href;
let end = () => {};

function begin(options: PageViewOptions = {}) {
  const heard = listeningTracker();
  end = trackPageViews(heard.tracker, options);
  heard.paths();
  return heard;
}

/** Gives the page a title that no page has had, as a router does, and resolves once the task is done. */
async function rendered(): Promise<void> {
  document.title = crypto.randomUUID();
  await taskDone();
}

/** Goes through the history, and resolves once the page is there. */
async function travel(delta: number): Promise<void> {
  const there = new Promise((resolve) => addEventListener('popstate', resolve, { once: true }));
  history.go(delta);
  await there;
  await rendered();
}

const { navigation } = window;
const give = (value: unknown) => Object.defineProperty(window, 'navigation', { value, configurable: true });

describe.each([
  ['the Navigation API', navigation],
  ['`history` alone', undefined],
])('by %s', (_, api) => {
  beforeEach(() => {
    give(api);
    history.replaceState(null, '', '/start');
  });

  afterEach(() => {
    end();
    history.replaceState(null, '', home);
  });

  afterAll(() => void give(navigation));

  test('a page that a script opens counts once, and so does going back', async () => {
    const { paths } = begin();

    history.pushState(null, '', '/products');
    await rendered();
    expect(paths()).toEqual(['/products']);

    history.replaceState(null, '', '/products/1');
    await rendered();
    expect(paths()).toEqual(['/products/1']);

    await travel(-1);
    expect(paths()).toEqual(['/start']);
    await travel(1);
    expect(paths()).toEqual(['/products/1']);
  });

  test('a URL pushed and replaced in one task counts once, with its title at that time', async () => {
    document.title = 'The start';
    const { views, paths } = begin();

    history.pushState(null, '', '/products');
    history.replaceState({ scroll: 0 }, '', '/products/1');
    history.replaceState({ scroll: 9 }, '');
    document.title = 'A scent';
    await taskDone();

    expect(paths()).toEqual(['/products/1']);
    expect(views.at(-1)).toMatchObject({ Title: 'A scent', Referrer: `${location.origin}/start` });
  });

  test('a change that leaves the reported address the same does not count', async () => {
    const { paths } = begin();

    history.replaceState({ scroll: 9 }, '');
    history.pushState({ dialog: true }, '');
    history.replaceState(null, '', '?q=sho');
    await taskDone();
    location.hash = 'reviews';
    await taskDone();
    await travel(-1);

    expect(paths()).toEqual([]);
  });

  test('a route in the hash counts if the site says that it has them', async () => {
    const { paths } = begin({ hashRoutes: true });

    location.hash = '#/products';
    await rendered();
    location.hash = '#reviews';
    await rendered();
    await travel(-1);

    expect(paths()).toEqual(['/start#/products', '/start', '/start#/products']);
  });

  test('nothing counts after the end', async () => {
    const { paths } = begin();

    history.pushState(null, '', '/products');
    end();
    history.pushState(null, '', '/cart');
    await taskDone();

    expect(paths()).toEqual([]);
  });
});

test('with the Navigation API `history` is untouched, and its own navigations count', async () => {
  const { pushState, replaceState } = history;
  const { paths } = begin();
  const stay = (event: NavigateEvent) => event.intercept();
  navigation.addEventListener('navigate', stay);

  expect(history).toMatchObject({ pushState, replaceState });
  await navigation.navigate('/by-navigation').finished;
  await rendered();
  navigation.removeEventListener('navigate', stay);
  end();
  history.replaceState(null, '', home);

  expect(paths()).toEqual(['/by-navigation']);
});

describe('a page’s own built-ins change nothing:', () => {
  test.each(Object.keys(SPOILT_PAGES))('%s', (name) => {
    history.replaceState(null, '', '/start?utm_source=mail&utm_source=x&page=2&q=shoes');
    document.title = 'The start';
    const { tracker, views } = listeningTracker();

    onSpoiltPage(name, () => {
      const stop = trackPageViews(tracker, { query: ['page'] });
      history.pushState(null, '', '/products?gclid=1');
      dispatchEvent(new Event('pagehide'));
      stop();
    });
    history.replaceState(null, '', home);

    const start = { URL: `${location.origin}/start?page=2`, Path: '/start', utm_source: 'mail' };
    const products = {
      URL: `${location.origin}/products`,
      Path: '/products',
      Referrer: start.URL,
      gclid: '1',
    };
    expect(views).toMatchObject([start, products]);
  });
});

test('a form named referrer hides the referrer and costs the page view nothing', () => {
  const form = Object.assign(document.createElement('form'), { name: 'referrer' });
  document.body.append(form);
  const { tracker, views } = listeningTracker();

  trackPageViews(tracker)();
  form.remove();

  expect(views).toHaveLength(1);
  expect(views[0]).toMatchObject({ Referrer: undefined });
});
