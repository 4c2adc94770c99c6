import type { Browser, BrowserContext, BrowserContextOptions, CDPSession, Page } from 'playwright-core';
import { within } from '../../faults/until.ts';
import type { FakeRelay } from './fake-relay.ts';
import { type PageParts, pageText } from './page-text.ts';
import { QUIET_PATH, type Site } from './site.ts';

/** An event that the tracker has reported to a page. */
export type PageEvent = { readonly name: string; readonly about: Readonly<Record<string, unknown>> };

type FlushEnd = { readonly settled: boolean; readonly reason?: string; readonly retryInMs?: number };

/** One tab of a visitor. */
export type Tab = {
  readonly page: Page;
  /**
   * Runs the body of an async function in the page, and answers with what it returns. Past the page's built-ins: the
   * value is read by the engine itself.
   */
  readonly run: <T = unknown>(code: string) => Promise<T>;
  readonly flush: () => Promise<FlushEnd>;
  /** The events of one name, or of all. */
  readonly reported: (name?: string) => Promise<readonly PageEvent[]>;
  /** Errors that nobody caught, and rejections. */
  readonly errors: readonly string[];
  /** Opens another page in this tab, as a visitor goes on. */
  readonly go: (parts?: PageParts) => Promise<void>;
  /**
   * Runs code that ends in the task in which the page is left for another one: `location.href = next` is put behind it.
   * Resolves once that page has loaded.
   */
  readonly leave: (code: string, next?: PageParts) => Promise<void>;
  /** Runs code, and leaves for a page without a tracker in the same task. */
  readonly quit: (code: string) => Promise<void>;
};

/** Somebody with a browser of their own: no storage, no cookie, nothing known. Their relay is theirs alone too. */
export type Visitor = {
  readonly context: BrowserContext;
  readonly relay: FakeRelay;
  readonly site: Site;
  readonly open: (parts?: PageParts) => Promise<Tab>;
  /** A path of the site with such a page. */
  readonly pathOf: (parts?: PageParts) => string;
  readonly close: () => Promise<void>;
};

// What the tracker promises comes within it, a relay that is slow to order included. A page that hangs fails its test soon.
const RUN_WITHIN_MS = 10_000;

async function evaluator(page: Page): Promise<Tab['run']> {
  const session: CDPSession = await page.context().newCDPSession(page);
  return async (code) => {
    const evaluated = session.send('Runtime.evaluate', {
      expression: `(async () => {${code}\n})()`,
      awaitPromise: true,
      returnByValue: true,
    });
    // What is given up here may still fail, with the page it ran in.
    evaluated.catch(() => {});
    const { result, exceptionDetails } = await within('the page answers', RUN_WITHIN_MS, evaluated);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
}

async function newTab(context: BrowserContext): Promise<{ page: Page; errors: string[]; run: Tab['run'] }> {
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ name, message }) => errors.push(`${name}: ${message}`));
  return { page, errors, run: await evaluator(page) };
}

function tabOf(
  { page, errors, run }: Awaited<ReturnType<typeof newTab>>,
  site: Site,
  pathOf: Visitor['pathOf'],
): Tab {
  const leaveFor = async (code: string, path: string) => {
    const left = page.waitForURL(`${site.url}${path}`, { waitUntil: 'load' });
    // What is left does not always live to answer.
    await Promise.all([left, run(`${code}\n; location.href = ${JSON.stringify(path)};`).catch(() => {})]);
  };
  return {
    page,
    run,
    flush: () => run('return webengageRelay.flush()'),
    reported: async (name) => {
      const all = await run<readonly PageEvent[]>('return pageEvents');
      return name === undefined ? all : all.filter((event) => event.name === name);
    },
    errors,
    go: async (parts) => {
      await page.goto(`${site.url}${pathOf(parts)}`, { waitUntil: 'load' });
    },
    leave: (code, next) => leaveFor(code, pathOf(next)),
    quit: (code) => leaveFor(code, QUIET_PATH),
  };
}

/** A context that several tests use in turn, and its one tab. */
export type Shared = { readonly context: BrowserContext; readonly tab: Awaited<ReturnType<typeof newTab>> };

export async function shareContext(browser: Browser, options: BrowserContextOptions): Promise<Shared> {
  const context = await browser.newContext(options);
  return { context, tab: await newTab(context) };
}

function visitorIn(context: BrowserContext, site: Site, relay: FakeRelay): Omit<Visitor, 'open' | 'close'> {
  return { context, relay, site, pathOf: (parts = {}) => site.addPage(pageText(relay.url, parts)) };
}

/** @param site whose pages they visit; its address may be the relay's own */
export async function newVisitor(
  browser: Browser,
  site: Site,
  relay: FakeRelay,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext(options);
  const visitor = visitorIn(context, site, relay);
  return {
    ...visitor,
    open: async (parts) => {
      const tab = tabOf(await newTab(context), site, visitor.pathOf);
      await tab.go(parts);
      return tab;
    },
    close: async () => {
      await context.close();
      relay.stop();
    },
  };
}

/** Visits in a tab that was there before, with a relay of their own: what is kept for one endpoint is nothing to another. */
export function sharingVisitor({ context, tab }: Shared, site: Site, relay: FakeRelay): Visitor {
  const visitor = visitorIn(context, site, relay);
  return {
    ...visitor,
    open: async (parts) => {
      const opened = tabOf(tab, site, visitor.pathOf);
      // What the page before may still say is not this one's.
      await tab.page.goto('about:blank');
      tab.errors.length = 0;
      await opened.go(parts);
      return opened;
    },
    close: async () => relay.stop(),
  };
}
