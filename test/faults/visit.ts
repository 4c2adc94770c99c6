import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAccount } from './account.ts';
import type { Engine, OpenBrowser, OpenOptions, Tab } from './engines/engine.ts';
import type { Harness } from './harness.ts';
import { type Events, flush, isReady, life } from './page/in-page.ts';
import type { PageOptions } from './page/site.ts';
import { killAll, processesOf } from './processes.ts';
import { type Count, countOf } from './table.ts';
import { until } from './until.ts';

/** One visitor: a profile on disk, a browser on it now and then, and the events made there. */
export type Visit = Harness & {
  /** So many events that are to arrive. Made, once they are in the list. */
  readonly events: (count: number) => Events;
  /** Events that are to arrive where the page has reported to the site that their promises have resolved. */
  readonly unsettled: (count: number) => Events;
  /** Events of which none may arrive. */
  readonly unmade: (count: number) => Events;
  readonly open: (options?: OpenOptions) => Promise<void>;
  /** A tab with the site, its tracker ready. Later pages of the visitor have the same options. */
  readonly openSite: (options?: PageOptions) => Promise<Tab>;
  /** A tab with another page. */
  readonly openTab: (url: string) => Promise<Tab>;
  /** Another page of the site each time. */
  readonly nextPage: () => string;
  /** Does what ends the page's life; resolves when the next one's tracker is ready. */
  readonly reload: (tab: Tab, leave: () => Promise<unknown>) => Promise<void>;
  readonly close: () => Promise<void>;
  /** SIGKILL for all of the browser, at a moment of the scenario's choice. */
  readonly killAfter: (ms: number, last: () => Promise<unknown>) => Promise<void>;
  /** Opens the profile again until all that its pages left is settled and delivered. */
  readonly comeBack: () => Promise<void>;
  /** Resolves when all that was made has arrived. */
  readonly allArrive: (withinMs?: number) => Promise<void>;
  readonly count: () => Promise<Count>;
  /** True where the browser, just now, does not even send what pages without a tracker send as their tabs are closed. */
  readonly dropsRequests: () => Promise<boolean>;
  /** Gives up whatever is open. */
  readonly end: () => Promise<void>;
};

const ARRIVE_WITHIN_MS = 30_000;

const BARE_TABS = 5;
const BARE_WITHIN_MS = 5_000;

/** @param name of the visitor's events, unlike those of other visitors */
export async function startVisit(engine: Engine, harness: Harness, name: string): Promise<Visit> {
  const { stack, site } = harness;
  const profile = await mkdtemp(join(tmpdir(), `${engine.name}-`));
  let browser: OpenBrowser | undefined;
  let options: OpenOptions = {};
  let firstOptions: PageOptions = {};
  let pages = 0;
  let isOver = false;
  let lastNumber = 0;
  const made: number[] = [];
  const unsettled: number[] = [];
  const unmade: number[] = [];

  const numberInto = (list: number[]) => (count: number) => {
    const numbers = Array.from({ length: count }, () => ++lastNumber);
    list.push(...numbers);
    return { name, numbers };
  };
  const current = (): OpenBrowser => {
    if (browser === undefined) throw new Error('no browser is open');
    return browser;
  };
  const ready = (tab: Tab) =>
    // While one page gives way to the next there is none to ask.
    until('the tracker is ready', () => tab.evaluate(isReady, null).catch(() => false));

  const open = async (given: OpenOptions = options) => {
    // What was given up goes on by itself, as far as it is let.
    if (isOver) throw new Error('the visit is over');
    options = given;
    browser = await engine.open(profile, options);
  };
  const close = async () => {
    await browser?.close();
    browser = undefined;
  };
  const openSite = async (given: PageOptions = firstOptions) => {
    firstOptions = given;
    const tab = await current().openTab(site.pageUrl(firstOptions));
    // Nobody sees into a frame without an origin.
    if (!firstOptions.framed) await ready(tab);
    return tab;
  };
  const count = async () => {
    const { events } = await stack.received();
    const taken = events
      .filter(({ eventName }) => eventName === name)
      .map(({ eventData }) => Number(eventData?.n));
    const kept = new Set(site.kept());
    const promised = [...made, ...unsettled.filter((n) => kept.has(n))];
    const unpromised = unsettled.filter((n) => !kept.has(n));
    return countOf({ made: promised, unmade, unpromised }, taken);
  };

  return {
    ...harness,
    open,
    openSite,
    openTab: (url) => current().openTab(url),
    close,
    count,
    events: numberInto(made),
    unsettled: numberInto(unsettled),
    unmade: numberInto(unmade),
    nextPage: () => site.pageUrl({ ...firstOptions, page: ++pages }),
    reload: async (tab, leave) => {
      const before = await tab.evaluate(life, null);
      // The answer is lost where the page goes before it is given.
      await leave().catch(() => {});
      await until('the next page has loaded', async () => {
        const now = await tab.evaluate(life, null).catch(() => before);
        return now !== undefined && now !== null && now !== before;
      });
      await ready(tab);
    },
    killAfter: async (ms, last) => {
      const victim = current();
      // What is to be killed at a moment must be known before it.
      const pids = processesOf(profile);
      if (pids.length === 0) throw new Error('the browser has no processes to kill');
      await last();
      await new Promise((resolve) => setTimeout(resolve, ms));
      await killAll(pids);
      await victim.afterKill();
      browser = undefined;
    },
    comeBack: async () => {
      await close();
      await open();
      // A good day, whatever the pages before had to bear; in the place where they left what they had.
      const tab = await openSite({ insecure: firstOptions.insecure ?? false });
      await until('the buffer is settled', async () => (await tab.evaluate(flush, null)).settled, 60_000);
      await until('the relay has delivered', async () => (await stack.backlog()) === 0);
      await checkAccount(tab);
      await close();
    },
    allArrive: (withinMs = ARRIVE_WITHIN_MS) =>
      until('all have arrived', async () => (await count()).lost === 0, withinMs),
    dropsRequests: async () => {
      const { proxy, site } = harness;
      const before = proxy.bare();
      proxy.order({ kind: 'open' });
      for (let tabs = 0; tabs < BARE_TABS; tabs++) await (await current().openTab(site.bareUrl)).close();
      const arrived = until('they arrive', () => proxy.bare() - before === BARE_TABS, BARE_WITHIN_MS);
      return arrived.then(
        () => false,
        () => true,
      );
    },
    end: async () => {
      isOver = true;
      // Of a browser that was still starting there is nothing but its processes.
      await killAll(processesOf(profile));
      await browser?.afterKill();
      browser = undefined;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
