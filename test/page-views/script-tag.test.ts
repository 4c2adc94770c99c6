import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PageViewOptions } from '../../src/page-views/page-views.ts';
import { listeningTracker, taskDone } from '../fakes/browser/page-views.ts';

const ORIGIN = 'https://shop.example.com';

const page = globalThis as unknown as { webengageRelay?: object; pageViewsEnd?: () => void };

/** Runs the script as if this tag had loaded it. */
async function load(script: Partial<HTMLScriptElement> | null): Promise<void> {
  Object.defineProperty(document, 'currentScript', { value: script, configurable: true });
  vi.resetModules();
  await import('../../src/page-views/script-tag.ts');
}

function tag(dataset: Record<string, string> = {}, src = `${ORIGIN}/page-views.js`) {
  return { src, dataset };
}

function relay(pageViews?: PageViewOptions) {
  const heard = listeningTracker();
  page.webengageRelay = { ...heard.tracker, ...(pageViews && { pageViews }) };
  return heard;
}

beforeEach(() => {
  (window as unknown as { happyDOM: { setURL(url: string): void } }).happyDOM.setURL(
    `${ORIGIN}/start?page=2&ref=x&utm_id=9#/cart`,
  );
});

afterEach(() => {
  page.pageViewsEnd?.();
  delete page.pageViewsEnd;
  delete page.webengageRelay;
  Reflect.deleteProperty(document, 'currentScript');
});

describe('settings', () => {
  test('come from the attributes of the script tag', async () => {
    const { names, views } = relay();

    await load(tag({ eventName: 'Seen', query: 'page', campaign: 'ref,src', hashRoutes: '' }));

    expect(names).toEqual(['Seen']);
    expect(views[0]).toMatchObject({ URL: `${ORIGIN}/start?page=2#/cart`, ref: 'x' });
    expect(views[0]).not.toHaveProperty('utm_id');
  });

  test('have defaults for a tag without attributes', async () => {
    const { names, views } = relay();

    await load(tag({}, `${ORIGIN}/assets/page-views.0a1b2c.js`));

    expect(names).toEqual(['Page Viewed']);
    expect(views[0]).toMatchObject({ URL: `${ORIGIN}/start`, utm_id: '9' });
  });

  test.each([undefined, 'false'])('have no hash routes with data-hash-routes at %s', async (hashRoutes) => {
    const { views } = relay();

    await load(tag(hashRoutes === undefined ? {} : { hashRoutes }));

    expect(views[0]).toMatchObject({ Path: '/start' });
  });

  test.each([
    ['no script tag', null],
    ['another script tag', tag({ query: 'other' }, `${ORIGIN}/bundle.js`)],
    ['a tag that has lost its attributes', tag()],
  ])('come from webengageRelay.pageViews with %s', async (_, script) => {
    const { views } = relay({ query: ['page'], redact: (address) => address.searchParams.delete('utm_id') });

    await load(script);

    expect(views[0]).toMatchObject({ URL: `${ORIGIN}/start?page=2` });
    expect(views[0]).not.toHaveProperty('utm_id');
  });
});

describe('one clear error, and no page views', () => {
  test.each([
    ['an inline script or a module', null],
    ['an inline script tag', tag({}, '')],
    ['a bundle', tag({}, `${ORIGIN}/bundle.js`)],
  ])('in %s names the remedy', async (_, script) => {
    const { views } = relay();

    await expect(load(script)).rejects.toThrow(
      'page-views.js needs its own script tag, or webengageRelay.pageViews',
    );

    expect(views).toEqual([]);
  });

  test.each([undefined, {}, { options: {} }])('appears if the tracker is %j', async (webengageRelay) => {
    if (webengageRelay) page.webengageRelay = webengageRelay;

    await expect(load(tag())).rejects.toThrow('page-views.js must come after the line that queues calls');
  });

  test('does not prevent a later script from counting', async () => {
    await expect(load(tag())).rejects.toThrow();
    const { names } = relay();

    await load(tag());

    expect(names).toHaveLength(1);
  });
});

test('a page that loads the script twice counts once', async () => {
  const { names, paths } = relay();

  await load(tag());
  await load(tag());
  history.pushState(null, '', '/cart');
  document.title = 'The cart';
  await taskDone();

  expect(names).toHaveLength(2);
  expect(paths()).toEqual(['/start', '/cart']);
});
