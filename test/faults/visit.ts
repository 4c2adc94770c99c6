import type { Stack } from '../journeys/stack.ts';
import type { Engine, OpenBrowser, Tab } from './engine.ts';
import { type Events, flush, isReady, life, useEndpoint } from './in-page.ts';
import { killAll } from './process-tree.ts';
import { until } from './until.ts';

/** What became of the events of one visitor. */
export type Count = {
  readonly made: number;
  readonly arrived: number;
  readonly lost: number;
  readonly doubled: number;
};

/** One visitor: a profile on disk, a browser on it now and then, and the events made there. */
export type Visit = {
  readonly stack: Stack;
  /** So many events that are to arrive. Made, once they are in the list. */
  readonly events: (count: number) => Events;
  readonly open: () => Promise<void>;
  /** A tab with the site, its tracker ready. */
  readonly openSite: () => Promise<Tab>;
  /** Does what ends the page's life; resolves when the next one's tracker is ready. */
  readonly reborn: (tab: Tab, leave: () => Promise<unknown>) => Promise<void>;
  readonly close: () => Promise<void>;
  /** SIGKILL for all of the browser, at a moment of the scenario's choice. */
  readonly killAfter: (ms: number, last: () => Promise<unknown>) => Promise<void>;
  /** From now on the visitor's events go by another way, after a restart too. */
  readonly goBy: (endpoint: string) => void;
  /** Opens the profile again until all that its pages left is settled and delivered. */
  readonly comeBack: () => Promise<void>;
  readonly arrived: () => Promise<boolean>;
  readonly count: () => Promise<Count>;
  /** Gives up whatever is open. */
  readonly end: () => Promise<void>;
};

export function startVisit(engine: Engine, stack: Stack, profile: string, name: string): Visit {
  let browser: OpenBrowser | undefined;
  let endpoint: string | undefined;
  const made: number[] = [];

  const current = (): OpenBrowser => {
    if (browser === undefined) throw new Error('no browser is open');
    return browser;
  };
  const ready = (tab: Tab) =>
    // While one page gives way to the next there is none to ask.
    until('the tracker is ready', () => tab.evaluate(isReady, null).catch(() => false));

  const open = async () => {
    browser = await engine.open(profile);
  };
  const close = async () => {
    await browser?.close();
    browser = undefined;
  };
  const openSite = async () => {
    const tab = await current().openTab(stack.siteUrl);
    await ready(tab);
    if (endpoint !== undefined) await tab.evaluate(useEndpoint, endpoint);
    return tab;
  };
  const numbers = async (): Promise<readonly unknown[]> => {
    const { events } = await stack.received();
    return events.filter(({ eventName }) => eventName === name).map(({ eventData }) => eventData?.n);
  };
  const count = async (): Promise<Count> => {
    const taken = await numbers();
    const once = new Set(taken);
    const arrived = made.filter((n) => once.has(n)).length;
    return {
      made: made.length,
      arrived,
      lost: made.length - arrived,
      doubled: taken.length - once.size,
    };
  };

  return {
    stack,
    open,
    openSite,
    close,
    count,
    events: (count) => {
      const from = made.length + 1;
      const numbers = Array.from({ length: count }, (_, index) => from + index);
      made.push(...numbers);
      return { name, numbers };
    },
    reborn: async (tab, leave) => {
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
      const pids = victim.processes();
      if (pids.length === 0) throw new Error('the browser has no processes to kill');
      await last();
      await new Promise((resolve) => setTimeout(resolve, ms));
      await killAll(pids);
      await victim.buried();
      browser = undefined;
    },
    goBy: (other) => {
      endpoint = other;
    },
    comeBack: async () => {
      await close();
      await open();
      const tab = await openSite();
      await until('the buffer is settled', async () => (await tab.evaluate(flush, null)).settled, 60_000);
      await until('the relay has delivered', async () => (await stack.backlog()) === 0);
      await close();
    },
    arrived: async () => (await count()).lost === 0,
    end: async () => {
      const left = browser;
      browser = undefined;
      if (left === undefined) return;
      await killAll(left.processes());
      await left.buried();
    },
  };
}
