import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../chromium.ts';
import { pack } from '../journeys/installed.ts';
import { type Stack, startStack } from '../journeys/stack.ts';
import { watchZone } from './angular-zone.ts';
import { installExample, type Project } from './project.ts';
import { buyAndLeave, expectVisit, goToMug, open, press } from './visit.ts';

// Each example as its reader has it: installed from the tarball, built for production, served, and visited.

let scratch: string;
let tarball: string;
let worker: Project;
let stack: Stack;
let browser: Browser;
let context: BrowserContext;

// The relay of all examples is that of examples/worker, so it comes out of the tarball too.
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'webengage-relay-packed-'));
  tarball = join(scratch, (await pack(scratch)).filename);
  worker = await installExample('worker', tarball);
  [stack, browser] = await Promise.all([
    startStack({ allowedOrigins: '*', lingerMs: 100, relayConfig: join(worker.folder, 'wrangler.jsonc') }),
    chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  await worker?.remove();
  await rm(scratch, { recursive: true });
});

beforeEach(async () => {
  await stack.empty();
  context = await browser.newContext();
});

afterEach(() => context.close());

async function build(project: Project, script = 'build'): Promise<string> {
  await project.run(script);
  const { url, stop } = await project.serve();
  onTestFinished(stop);
  return url;
}

describe.each([
  { name: 'plain-html', asksFirst: true, loadsDocuments: true },
  { name: 'vite-react', asksFirst: true },
  { name: 'next' },
  { name: 'nuxt' },
  { name: 'sveltekit' },
  { name: 'angular', scripts: ['build', 'build:zone'] },
])('examples/$name', ({ name, asksFirst = false, loadsDocuments = false, scripts = ['build'] }) => {
  let project: Project;
  beforeAll(async () => {
    project = await installExample(name, tarball, stack.relayUrl);
  });
  afterAll(() => project?.remove());

  test.each(scripts)(
    'after npm run %s, a visit arrives, each record once, without an error',
    async (script) => {
      const url = await build(project, script);
      const zone = script === 'build:zone' ? await watchZone(context) : undefined;
      const { page, errors } = await open(context, url);

      if (asksFirst) {
        expect(await page.evaluate('indexedDB.databases()')).toEqual([]);
        await press(page, 'Allow');
      }
      expect(await goToMug(page)).toBe(!loadsDocuments);
      await press(page, 'Log in');
      await zone?.expectStable(page);
      await buyAndLeave(page);

      await expectVisit(stack, url);
      expect(errors).toEqual([]);
    },
  );
});

test('examples/worker: its own pages and its relay are one site', async () => {
  await worker.run('build');
  const { page, errors } = await open(context, stack.relayUrl);

  expect(await goToMug(page)).toBe(false);
  await press(page, 'Log in');
  await buyAndLeave(page);

  await expectVisit(stack, stack.relayUrl);
  expect(errors).toEqual([]);
});

test('examples/service-worker: what no page could send arrives later, with no page open', async () => {
  const project = await installExample('service-worker', tarball, stack.relayUrl);
  onTestFinished(project.remove);
  const url = await build(project);
  const { page, errors } = await open(context, url);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  await goToMug(page);
  await press(page, 'Log in');
  expect(errors).toEqual([]);

  // Offline, a page's last request would still leave: Chromium plays that for living pages alone.
  await stack.stopRelay();
  await press(page, 'Add to cart');
  const tags = 'navigator.serviceWorker.ready.then(({ sync }) => sync.getTags())';
  await expect.poll(() => page.evaluate(tags), { timeout: 20_000 }).toEqual([syncTag()]);
  await page.goto('about:blank');
  await stack.startRelay();
  await fireSync(page, url);

  await expectVisit(stack, url);
});

const syncTag = () => `webengage-relay:${stack.relayUrl}`;

/** Fires the `sync` event of a site's service worker, as the browser does once there is a network. */
async function fireSync(page: Page, origin: string): Promise<void> {
  const session = await context.newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations: [first] }) => {
      if (first !== undefined) resolve(first.registrationId);
    });
  });
  await session.send('ServiceWorker.enable');
  const event = { origin, registrationId: await registered, tag: syncTag(), lastChance: false };
  await session.send('ServiceWorker.dispatchSyncEvent', event);
}
