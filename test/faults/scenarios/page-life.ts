import type { Tab } from '../engines/engine.ts';
import {
  flush,
  goBack,
  isReady,
  notRestoredFor,
  readPageEvents,
  startFlush,
  trackAll,
} from '../page/in-page.ts';
import { setClockOff } from '../page/page-troubles.ts';
import { NETWORK_ADDRESS, type PageOptions } from '../page/site.ts';
import { until } from '../until.ts';
import type { Visit } from '../visit.ts';
import { assert, type Scenario } from './scenario.ts';

// One batch: what is more leaves a page in several requests, in no certain order.
const SOME = 25;
const EACH = 3;
const YEAR_MS = 365 * 24 * 3_600_000;
const PATIENT = { maxWaitMs: 5_000 };

const ONLY_CHROMIUM_PRERENDERS =
  'it prerenders nothing (https://developer.mozilla.org/docs/Web/API/Speculation_Rules_API#browser_compatibility)';

const goTo = (url: string): void => {
  location.href = url;
};

/** Away and back again, with records before, and after. */
function awayAndBack(to: (visit: Visit) => string): Scenario['run'] {
  return async (visit) => {
    await visit.open();
    const tab = await visit.openSite(PATIENT);
    // A page that is left while it still starts has the database and a lock in use, for which it is not kept.
    await tab.evaluate(flush, null);
    await tab.evaluate(trackAll, visit.events(EACH));
    await tab.evaluate(goTo, to(visit)).catch(() => {});
    await until('the page is left', async () => !(await tab.evaluate(isReady, null).catch(() => true)));
    await tab.evaluate(goBack, null).catch(() => {});
    await until('the page is back', () => tab.evaluate(isReady, null).catch(() => false));
    const { restored } = await tab.evaluate(readPageEvents, null);
    const why = await tab.evaluate(notRestoredFor, null);
    assert(restored === 1, `the page was not kept in the back/forward cache${why ? `: ${why}` : ''}`);
    assert((why ?? '') === '', `a reason not to keep it: ${why}`);
    await tab.evaluate(trackAll, visit.events(EACH));
    await tab.evaluate(startFlush, null);
    await visit.allArrive();
  };
}

function prerender(url: string): void {
  const rules = document.createElement('script');
  rules.type = 'speculationrules';
  rules.textContent = JSON.stringify({
    prerender: [{ source: 'list', urls: [url], eagerness: 'immediate' }],
  });
  document.head.append(rules);
}

/** True on a page that was made before the visitor came to it. */
const wasPrerendered = (): boolean => {
  const [navigation] = performance.getEntriesByType('navigation') as readonly { activationStart?: number }[];
  return (navigation?.activationStart ?? 0) > 0;
};

/** So long a prerendered page is watched: its records would have been sent by then. */
const WATCHED_MS = 3_000;

async function prerendered(visit: Visit, url: string): Promise<Tab> {
  await visit.open();
  const tab = await visit.openSite({ maxWaitMs: 100 });
  const pages = visit.site.served(url);
  await tab.evaluate(prerender, url);
  await until('the page is prerendered', () => visit.site.served(url) > pages);
  await until('its tracker is loaded', () => visit.site.served('/tracker.js') >= 2);
  await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
  assert(visit.proxy.seen().length === 0, 'a page that nobody sees has sent something');
  return tab;
}

function comesToPrerendered(options: PageOptions = {}): Scenario['run'] {
  return async (visit) => {
    const url = visit.site.pageUrl({ ...options, maxWaitMs: 100, events: visit.events(EACH) });
    const tab = await prerendered(visit, url);
    await visit.reload(tab, () => tab.evaluate(goTo, url));
    assert(await tab.evaluate(wasPrerendered, null), 'the page was not the prerendered one');
    await visit.allArrive();
  };
}

function clockSet(from: number, to: number, meanwhile: 'waiting' | 'sent'): Scenario['run'] {
  return async (visit) => {
    await visit.open();
    const tab = await visit.openSite({ troubles: ['clockCanBeOff'], clockOffMs: from });
    if (meanwhile === 'waiting') visit.proxy.order({ kind: 'broken' });
    await tab.evaluate(trackAll, visit.events(SOME));
    if (meanwhile === 'sent') await visit.allArrive();
    else
      await until('sending has failed', async () => (await tab.evaluate(readPageEvents, null)).retrying > 0);
    await tab.evaluate(setClockOff, to);
    visit.proxy.order({ kind: 'open' });
    await tab.evaluate(trackAll, visit.events(EACH));
    await visit.allArrive();
  };
}

/** What happens to pages besides being closed. */
export const pageLife: readonly Scenario[] = [
  {
    title: 'navigation to a page of the same origin and back, from the back/forward cache',
    run: awayAndBack(({ site }) => site.quietUrl),
  },
  {
    title: 'navigation to another site and back, from the back/forward cache',
    run: awayAndBack(({ site }) => site.elsewhereUrl),
  },
  {
    title: 'prerendered: nothing is sent before activation, and everything arrives after it',
    retry: 2,
    impossible: { firefox: ONLY_CHROMIUM_PRERENDERS, webkit: ONLY_CHROMIUM_PRERENDERS },
    run: comesToPrerendered(),
  },
  {
    title:
      'prerendered without Web Locks: nothing is sent before activation, and everything arrives after it',
    retry: 2,
    impossible: { firefox: ONLY_CHROMIUM_PRERENDERS, webkit: ONLY_CHROMIUM_PRERENDERS },
    run: comesToPrerendered({ troubles: ['locksMissing'] }),
  },
  {
    title: 'prerendered and never activated: nothing is sent',
    retry: 2,
    impossible: { firefox: ONLY_CHROMIUM_PRERENDERS, webkit: ONLY_CHROMIUM_PRERENDERS },
    run: async (visit) => {
      await prerendered(visit, visit.site.pageUrl({ maxWaitMs: 100, events: visit.unmade(EACH) }));
    },
  },
  {
    title: 'frozen with records unsettled, and resumed',
    impossible: {
      firefox: 'its driver freezes no tab (https://w3c.github.io/webdriver-bidi/#modules)',
      webkit: 'its driver freezes no tab (https://w3c.github.io/webdriver/#endpoints)',
    },
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite(PATIENT);
      await tab.evaluate(trackAll, visit.events(SOME));
      // Only what nobody looks at is frozen.
      const inFront = await visit.openTab(visit.site.quietUrl);
      await tab.setFrozen?.(true);
      await inFront.close();
      await tab.setFrozen?.(false);
      await tab.evaluate(trackAll, visit.events(EACH));
      await visit.allArrive();
    },
  },
  { title: 'the clock is set back a year while records wait', run: clockSet(0, -YEAR_MS, 'waiting') },
  {
    title: 'the clock, a year ahead, is corrected while records wait',
    run: clockSet(YEAR_MS, 0, 'waiting'),
  },
  { title: 'the clock is set a year ahead', run: clockSet(0, YEAR_MS, 'sent') },
  { title: 'the clock, a year behind, is corrected', run: clockSet(-YEAR_MS, 0, 'sent') },
  {
    title: 'a page without https: no locks, no randomUUID',
    ...(NETWORK_ADDRESS === undefined && {
      impossible: {
        chromium: 'this machine is in no network',
        firefox: 'this machine is in no network',
        webkit: 'this machine is in no network',
      },
    }),
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite({ insecure: true });
      const secure = await tab.evaluate(() => isSecureContext || 'locks' in navigator, null);
      assert(!secure, 'the browser takes the page for a secure one');
      await tab.evaluate(trackAll, visit.events(SOME));
      await visit.allArrive();
    },
  },
];
