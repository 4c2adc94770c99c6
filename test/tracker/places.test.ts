// @vitest-environment node
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../chromium.ts';
import { README_STUB } from '../readme-stub.ts';
import { fakeRelay, fakeSite } from './places-site.ts';

// A browser is started here, beside the other tests.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const WITHIN = { timeout: 20_000 };

let relay: Awaited<ReturnType<typeof fakeRelay>>;

beforeEach(async () => {
  relay = await fakeRelay();
});

afterEach(() => relay.stop());

describe('in a browser', () => {
  let browser: Browser;
  let context: BrowserContext;
  let site: Awaited<ReturnType<typeof fakeSite>>;
  let page: Page;
  const thrown: unknown[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS });
  });

  afterAll(() => browser?.close());

  beforeEach(async () => {
    const work = `
      const degraded = new Promise((tell) => tracker.on('degraded', ({ reason }) => tell(reason)));
      const work = tracker.track('Clicked').then(() => tracker.flush());`;
    const reportToPage = `${work} work.then((end) => postMessage(JSON.stringify(end)));`;
    const options = JSON.stringify({ endpoint: relay.url, backgroundSync: true });
    site = await fakeSite({
      '/': '<!doctype html><title>A site</title>',
      '/module.js': `import { createTracker } from '/index.js';
        const tracker = createTracker(${options}); ${reportToPage}`,
      '/classic.js': `import('/index.js').then(({ createTracker }) => {
        const tracker = createTracker(${options}); ${reportToPage} });`,
      '/site-worker.js': `importScripts('/service-worker.js');
        tracker = webengageRelay.syncInBackground(${options});`,
      '/module-site-worker.js': `import { syncInBackground } from '/service-worker-module.js';
        self.tracker = syncInBackground(${options});`,
      '/framing': '<!doctype html><iframe sandbox="allow-scripts" src="/framed"></iframe>',
      '/framed': `<!doctype html>${README_STUB}
        <script>const tracker = webengageRelay; ${work}</script>
        <script src="/tracker.js" data-endpoint="${relay.url}" data-background-sync></script>`,
    });
    context = await browser.newContext();
    thrown.length = 0;
    context.on('weberror', (error) => thrown.push(error.error()));
    page = await context.newPage();
  });

  afterEach(async () => {
    await context.close();
    site.stop();
  });

  test.each([
    ['module', '/module.js', 'module'],
    ['classic', '/classic.js', 'classic'],
  ] as const)('a tracker works in a %s Web Worker', async (_, url, type) => {
    await page.goto(site.url);

    const end = await page.evaluate(
      ([script, kind]) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(script, { type: kind });
          worker.onmessage = ({ data }) => resolve(JSON.parse(data));
          worker.onerror = ({ message }) => reject(new Error(message));
        }),
      [url, type] as const,
    );

    expect(end).toEqual({ settled: true });
    expect(relay.names()).toEqual(['Clicked']);
    const databases = await page.evaluate(() => indexedDB.databases());
    expect(databases.map(({ name }) => name)).toEqual([`webengage-relay:${relay.url}`]);
  });

  test.each([
    ['classic', '/site-worker.js'],
    ['module', '/module-site-worker.js'],
  ] as const)('a tracker works in a %s service worker', async (type, url) => {
    await page.goto(site.url);
    const started = context.waitForEvent('serviceworker');
    await page.evaluate(
      ([script, kind]) => navigator.serviceWorker.register(script, { type: kind }).then(() => {}),
      [url, type] as const,
    );
    const worker = await started;

    const end = await worker.evaluate(async () => {
      await tracker.track('Pushed');
      return tracker.flush();
    });

    expect(end).toEqual({ settled: true });
    expect(relay.names()).toEqual(['Pushed']);
  });

  test('a tracker in a sandboxed frame reports that it is degraded, sends its records, and throws nothing', async () => {
    await page.goto(`${site.url}/framing`);
    const frame = page.frames()[1];

    expect(await frame?.evaluate('degraded')).toMatch(/\S/);
    expect(await frame?.evaluate('work')).toEqual({ settled: true });
    await frame?.evaluate(async () => {
      await tracker.track('Left');
      dispatchEvent(new PageTransitionEvent('pagehide'));
    });
    await expect.poll(relay.names, WITHIN).toEqual(['Clicked', 'Left']);
    expect(relay.batches.map(({ origin }) => origin)).toEqual(['null', 'null']);
    expect(thrown).toEqual([]);
  });
});

describe('in Node', () => {
  const node = (script: string) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { timeout: 30_000 });

  test.each([
    'index',
    'service-worker-module',
    'page-views-module',
    'webengage-module',
    'segment',
    'inspector-module',
  ])('importing dist/%s.js does nothing', async (entry) => {
    const { stdout, stderr } = await node(`
      const before = Object.getOwnPropertyNames(globalThis).join();
      await import('./dist/${entry}.js');
      console.log(Object.getOwnPropertyNames(globalThis).join() === before);`);

    expect([stdout, stderr]).toEqual(['true\n', '']);
  });

  test('a tracker works in memory, and lets the process end once no records are waiting', async () => {
    const { stdout, stderr } = await node(`
      import { createTracker } from './dist/index.js';
      const tracker = createTracker({ endpoint: '${relay.url}', maxWaitMs: 100, backgroundSync: true });
      tracker.on('degraded', () => console.log('degraded'));
      await tracker.track('Clicked');
      console.log('tracked');`);

    expect([stdout, stderr]).toEqual(['degraded\ntracked\n', '']);
    expect(relay.names()).toEqual(['Clicked']);
  });

  test('a tracker whose relay is unreachable keeps the process alive, to retry', async () => {
    relay.stop();

    const { stdout } = await node(`
      import { createTracker } from './dist/index.js';
      const tracker = createTracker({ endpoint: '${relay.url}' });
      await tracker.track('Clicked');
      const { settled, reason } = await tracker.flush();
      console.log(settled, reason, process.getActiveResourcesInfo().includes('Timeout'));
      process.exit();`);

    expect(stdout).toBe('false network true\n');
  });
});
