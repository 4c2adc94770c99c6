import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../chromium.ts';
import { README_STUB } from '../readme-stub.ts';
import { moduleAt, moduleTag } from '../samples/modules.ts';
import { sample, samplesOf } from '../samples/samples.ts';
import { eventsReceived } from './received.ts';
import { type Answered, serveSite } from './site.ts';
import { type Stack, startStack } from './stack.ts';

// What the documents show for pages and for shells, run unchanged, against a relay that runs.

const SERVER_TOKEN = 'a-server-token-of-enough-characters';
const { url: pinnedPath, integrity } = JSON.parse(await readFile('dist/integrity.json', 'utf8'));

let site: Awaited<ReturnType<typeof serveSite>>;
let files: Record<string, Answered> = {};
let stack: Stack;
let browser: Browser;
let context: BrowserContext;
let scratch: string;

beforeAll(async () => {
  const script: Answered = { type: 'text/javascript', body: await readFile('dist/tracker.js', 'utf8') };
  site = await serveSite((path) => files[path] ?? (path === '/js/tracker.js' ? script : moduleAt(path)));
  [stack, browser, scratch] = await Promise.all([
    startStack({ allowedOrigins: '*', lingerMs: 100, settings: { SERVER_TOKEN } }),
    chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
    mkdtemp(join(tmpdir(), 'webengage-relay-typed-')),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  site?.stop();
  await rm(scratch, { recursive: true, force: true });
});

beforeEach(async () => {
  await stack.order({});
  await stack.empty();
  files = {};
  context = await browser.newContext();
});

afterEach(async () => {
  await context.close();
  // What a test did not wait for is not the next one's.
  await expect.poll(stack.backlog, { timeout: 10_000 }).toBe(0);
});

/** What a reader has to fill in. */
function filled(text: string): string {
  return text
    .replaceAll(/https:\/\/t\.example\.com|http:\/\/localhost:8787/g, stack.relayUrl)
    .replaceAll('http://localhost:8788', stack.sandboxUrl)
    .replaceAll('/tracker.<hash>.js', pinnedPath)
    .replaceAll('sha384-…', integrity);
}

const TRACKER_TAG = '<script async src="https://t.example.com/tracker.js"></script>';

/** A page with a sample in it, which may be the whole page, and what its errors were. */
async function open(html: string): Promise<{ readonly page: Page; readonly errors: readonly string[] }> {
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ name, message }) => errors.push(`${name}: ${message}`));
  const head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A page</title>';
  const body = filled(/^<!doctype/i.test(html) ? html : head + html);
  files = { ...files, '/': { type: 'text/html', body } };
  await page.goto(site.url, { waitUntil: 'load' });
  return { page, errors };
}

/** What the page has tracked, sent at once. */
const flush = (page: Page, tracker = 'webengageRelay') => page.evaluate(`${tracker}.flush()`);

describe('HTML', () => {
  // Those wait for a choice: test/journeys/page/consent.test.ts makes one.
  const ready = samplesOf('html').filter(({ document }) => document !== 'docs/guides/consent.md');

  test.each(ready)('$name: an event of a page with it arrives', async ({ text }) => {
    const stub = text.includes(README_STUB) ? '' : README_STUB;
    const tag = /tracker[.\w<>]*\.js/.test(text) ? '' : TRACKER_TAG;

    const { page, errors } = await open(/^<!doctype/i.test(text) ? text : stub + tag + text);
    await page.evaluate(`webengageRelay.track('Seen')`);
    expect(await flush(page)).toEqual({ settled: true });

    expect((await eventsReceived(stack, 1)).map(({ eventName }) => eventName)).toContain('Seen');
    expect(errors).toEqual([]);
  });

  test('the tag for page views tracks them', async () => {
    const { page } = await open(README_STUB + TRACKER_TAG + sample('docs/guides/page-views.md html').text);
    await flush(page);

    expect(await eventsReceived(stack, 1)).toMatchObject([
      { eventName: 'Page Viewed', eventData: { Title: 'A page' } },
    ]);
  });
});

const JOHN = { userId: 'johndoe', email: 'john@doe.com', attributes: { plan: 'Premium' } };
const ADDED = {
  userId: 'johndoe',
  eventName: 'Added to Cart',
  eventData: { 'Product ID': 1337, Price: 39.8 },
};

describe('in a page', () => {
  test('README.md: the first calls with the script tag', async () => {
    const { page, errors } = await open(sample('README.md#quick-start html').text);
    await page.evaluate(sample('README.md#quick-start js').text);
    await flush(page);

    expect(await eventsReceived(stack, 1)).toMatchObject([ADDED]);
    expect((await stack.received()).users).toMatchObject([JOHN]);
    expect(errors).toEqual([]);
  });

  test('README.md: the same from npm, with typed events', async () => {
    const { page, errors } = await open(moduleTag(sample('README.md#quick-start ts').text));
    await page.waitForFunction('globalThis.tracker');
    await flush(page, 'tracker');

    expect(await eventsReceived(stack, 1)).toMatchObject([ADDED]);
    expect((await stack.received()).users).toMatchObject([JOHN]);
    expect(errors).toEqual([]);
  });

  test('docs/guides/migrating.md: Segment’s calls on the facade', async () => {
    const { page, errors } = await open(moduleTag(sample('docs/guides/migrating.md#from-segment ts').text));
    await page.evaluate(`analytics.track('Added to Cart', { 'Product ID': 1337, Price: 39.8 })`);
    await flush(page, 'tracker');

    const { userId: _, ...anonymously } = ADDED;
    expect(await eventsReceived(stack, 1)).toMatchObject([anonymously]);
    expect(errors).toEqual([]);
  });

  test('docs/guides/troubleshooting.md: the console commands show where the records are', async () => {
    const { page, errors } = await open(sample('README.md#quick-start html').text);
    const shown: unknown[] = [];
    page.on('console', async (message) => {
      shown.push(...(await Promise.all(message.args().map((each) => each.jsonValue()))));
    });
    await page.evaluate(`webengageRelay.track('Seen', { we_own: 1 })`);
    await page.evaluate(`(async () => { ${sample('docs/guides/troubleshooting.md js').text} })()`);
    await page.evaluate(`webengageRelay.track('Seen again', { we_own: 1 })`);
    await flush(page);

    await expect
      .poll(() => shown)
      .toEqual(
        expect.arrayContaining([
          expect.objectContaining({ tracked: 1, buffered: 1 }),
          { settled: true },
          'repaired',
          expect.objectContaining({ done: 'left_out' }),
        ]),
      );
    expect(errors).toEqual([]);
  });
});

describe('docs/guides/getting-started.md', () => {
  const { userId: _, ...ADDED_BY_NOBODY } = ADDED;

  test('a page opened from disk: a press on its button arrives, even if the page is closed at once', async () => {
    const path = join(scratch, 'index.html');
    await writeFile(path, filled(sample('docs/guides/getting-started.md#a-page-of-your-own html').text));
    const page = await context.newPage();
    await page.goto(pathToFileURL(path).href);

    await page.getByRole('button', { name: 'Add to cart' }).click();
    await page.close();

    expect(await eventsReceived(stack, 1)).toMatchObject([ADDED_BY_NOBODY]);
  });

  test('a tracker from npm', async () => {
    const { page, errors } = await open(
      moduleTag(sample('docs/guides/getting-started.md#a-page-of-your-own ts').text),
    );
    await page.evaluate(`tracker.track('Added to Cart', { 'Product ID': 1337, Price: 39.8 })`);
    await flush(page, 'tracker');

    expect(await eventsReceived(stack, 1)).toMatchObject([ADDED_BY_NOBODY]);
    expect(errors).toEqual([]);
  });

  test('with React: a tracker is made at the first call, and the visitor is identified once known', async () => {
    const { text } = sample('docs/guides/getting-started.md#react-next-and-other-server-rendering ts');
    const { page, errors } = await open(moduleTag(text));

    await page.evaluate('useIdentified(undefined)');
    expect(await page.evaluate('indexedDB.databases()')).toEqual([]);
    await page.evaluate(`useIdentified('johndoe')`);
    await page.evaluate(`pageTracker().track('Added to Cart', { 'Product ID': 1337, Price: 39.8 })`);
    await flush(page, 'pageTracker()');

    expect(await eventsReceived(stack, 1)).toMatchObject([ADDED]);
    expect((await stack.received()).users).toMatchObject([{ userId: 'johndoe' }]);
    expect(errors).toEqual([]);
  });

  test('typed events: a correct event arrives', async () => {
    const { page, errors } = await open(
      moduleTag(sample('docs/guides/getting-started.md#your-events-typed ts').text),
    );
    await page.waitForFunction('globalThis.tracker');
    await flush(page, 'tracker');

    expect((await eventsReceived(stack, 2)).map(({ eventName }) => eventName)).toEqual([
      'Added to Cart',
      'Signed Out',
    ]);
    expect(errors).toEqual([]);
  });

  test('the sandbox shows what it has received', async () => {
    const { page } = await open(sample('README.md#quick-start html').text);
    await page.evaluate(`webengageRelay.track('Seen')`);
    await flush(page);
    await eventsReceived(stack, 1);

    const shown = await typed(sample('docs/guides/getting-started.md#seeing-it-arrive sh').text);

    expect(JSON.parse(shown)).toMatchObject({ events: [{ eventName: 'Seen' }] });
  });
});

/** What a script prints, typed by somebody who has the tokens. */
async function typed(script: string): Promise<string> {
  const env = { ...process.env, ADMIN_TOKEN: stack.adminToken, SERVER_TOKEN };
  const running = { cwd: scratch, env };
  return (await promisify(execFile)('bash', ['-eo', 'pipefail', '-c', filled(script)], running)).stdout;
}

test('docs/guides/service-worker.md: a service worker tracks', async () => {
  const text = filled(sample('docs/guides/service-worker.md js').text);
  files = { '/sw.js': { type: 'text/javascript', body: text } };
  const { page } = await open('');
  const started = context.waitForEvent('serviceworker');
  await page.evaluate(`navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)`);

  const worker = await started;
  await worker.evaluate(`tracker.track('From the service worker')`);
  await worker.evaluate('tracker.flush()');

  expect(await eventsReceived(stack, 1)).toMatchObject([{ eventName: 'From the service worker' }]);
});

describe('in a shell', () => {
  type DeadLetter = { readonly id: string; readonly record: { readonly eventName?: string } };
  async function deadLetters(): Promise<readonly DeadLetter[]> {
    const headers = { Authorization: `Bearer ${stack.adminToken}` };
    const answer = await fetch(`${stack.relayUrl}/admin/dead-letters`, { headers });
    return (await answer.json()).deadLetters;
  }

  /** Has WebEngage refuse two events, of two users. */
  async function refuseTwo(): Promise<void> {
    await stack.order({ refuse: { field: 'eventName', value: 'Refused' } });
    const { page } = await open(sample('README.md#quick-start html').text);
    for (const user of ['johndoe', 'janedoe']) {
      await page.evaluate(`webengageRelay.identify('${user}'); webengageRelay.track('Refused')`);
      await flush(page);
    }
    await expect.poll(async () => (await deadLetters()).length, { timeout: 20_000 }).toBe(2);
    await stack.order({});
  }

  test('docs/guides/sending-from-a-server.md: a server sends', async () => {
    const answer = JSON.parse(
      await typed(sample('docs/guides/sending-from-a-server.md#other-languages sh').text),
    );

    expect(answer).toEqual({
      response: { status: 'queued' },
      accepted: 2,
      duplicates: 0,
      rejected: [],
      repaired: [],
      now: expect.any(Number),
    });
    expect(await eventsReceived(stack, 1)).toMatchObject([{ userId: 'johndoe', eventName: 'Order Shipped' }]);
  });

  test('docs/guides/operating.md: dead letters are exported, one is replayed, and all others are discarded', async () => {
    await refuseTwo();
    const [{ id } = { id: '' }] = await deadLetters();

    await typed(sample('docs/guides/operating.md#dead-letters sh').text.replace('1/0:17', id));

    const exported = (await readFile(join(scratch, 'dead-letters.ndjson'), 'utf8')).trim().split('\n');
    expect(exported.map((line) => JSON.parse(line).record.eventName)).toEqual(['Refused', 'Refused']);
    expect(await eventsReceived(stack, 1)).toMatchObject([{ eventName: 'Refused' }]);
    expect(await deadLetters()).toEqual([]);
  });

  test('docs/guides/erasing-a-person.md: one person is erased, and nobody else, and the receipt has the fields of the sample', async () => {
    await refuseTwo();
    const { text } = sample('docs/guides/erasing-a-person.md#without-the-command sh');

    const receipt = JSON.parse(await typed(text));

    const shown = JSON.parse(sample('docs/guides/erasing-a-person.md#without-the-command json').text);
    const fields = (of: object) =>
      Object.entries(of).map(([name, value]) => [name, Object.keys(value ?? {})]);
    expect(fields(receipt)).toEqual(fields(shown));
    expect(receipt).toMatchObject({ complete: true, erased: { deadLetters: 1 }, upstream: { filed: true } });
    expect(await deadLetters()).toMatchObject([{ record: { userId: 'janedoe' } }]);
    await typed(text.replace('"upstream"', '"lift"'));
    await typed(
      `curl -H "Authorization: Bearer $ADMIN_TOKEN" -d '{"all":true}' https://t.example.com/admin/dead-letters/discard`,
    );
  });
});
