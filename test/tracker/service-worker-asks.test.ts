import { expect, test } from 'vitest';
import { resolveOptions, type TrackerOptions } from '../../src/tracker/options.ts';
import { askForSync } from '../../src/tracker/platform/background-sync.ts';
import { startTracker } from '../../src/tracker/tracker.ts';
import { fakePlatform, scriptedRelay } from '../fakes/platform.ts';
import { settled } from '../fakes/settled.ts';

function trackerWith(options: Partial<TrackerOptions>, relay = scriptedRelay()) {
  const fake = fakePlatform({ relay });
  const asked: string[] = [];
  const tracker = startTracker(resolveOptions({ endpoint: 'https://t.example.com', ...options }), {
    ...fake.platform,
    askForSync: (tag) => () => asked.push(tag),
  });
  return { tracker, asked, ...fake };
}

test('a page left with unsettled records requests a background sync', async () => {
  const { tracker, asked, page } = trackerWith({ backgroundSync: true });
  await tracker.track('Clicked');

  page.moments?.hidden();

  expect(asked).toEqual(['webengage-relay:https://t.example.com']);
});

test('a page left with all records settled requests none', async () => {
  const { tracker, asked, page } = trackerWith({ backgroundSync: true });
  await tracker.track('Clicked');
  await tracker.flush();

  page.moments?.hidden();

  expect(asked).toEqual([]);
});

test('a page that could not send without a network requests a background sync', async () => {
  const { tracker, asked } = trackerWith(
    { backgroundSync: true },
    scriptedRelay(() => new TypeError('Failed to fetch')),
  );
  await tracker.track('Clicked');

  await tracker.flush();

  expect(asked).toEqual(['webengage-relay:https://t.example.com']);
});

test('a relay that requested a pause is not asked again through the service worker', async () => {
  const { tracker, asked } = trackerWith(
    { backgroundSync: true },
    scriptedRelay(() => new Response('', { status: 429 })),
  );
  await tracker.track('Clicked');

  await tracker.flush();

  expect(asked).toEqual([]);
});

test('without the option there is no request', async () => {
  const { tracker, asked, page } = trackerWith(
    {},
    scriptedRelay(() => new TypeError('Failed to fetch')),
  );
  await tracker.track('Clicked');
  await tracker.flush();

  page.moments?.hidden();

  expect(asked).toEqual([]);
});

test.each([
  ['no service worker', undefined],
  ['a service worker that is denied', () => Promise.reject(new DOMException('denied', 'SecurityError'))],
  ['no Background Sync', () => Promise.resolve({})],
  ['a sync that is denied', () => Promise.resolve({ sync: { register: () => Promise.reject(new Error()) } })],
])('with %s the request harms nothing', async (_, ready) => {
  const thrown: unknown[] = [];
  const keep = (error: unknown) => thrown.push(error);
  process.on('unhandledRejection', keep);
  Object.defineProperty(navigator, 'serviceWorker', {
    configurable: true,
    get: () => ready && { ready: ready() },
  });

  askForSync('a tag')();
  await settled();
  await new Promise((resolve) => setImmediate(resolve));

  process.off('unhandledRejection', keep);
  Reflect.deleteProperty(navigator, 'serviceWorker');
  expect(thrown).toEqual([]);
});
