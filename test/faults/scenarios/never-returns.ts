import type { Tab } from '../engines/engine.ts';
import { isKnown, trackAll, trackOnly } from '../page/in-page.ts';
import type { Visit } from '../visit.ts';
import type { Scenario } from './scenario.ts';

const FEW = 3;
// All of them fit into what a browser lets a page send as it goes: 60,000 bytes.
const MANY = 60;
const SLOW = { kind: 'open', afterMs: 500 } as const;
const PATIENT = { maxWaitMs: 5_000 };

const ARRIVE_WITHIN_MS = 15_000;

/** What may not be lost though nobody comes back for it. */
function closes(last: (visit: Visit, tab: Tab) => Promise<unknown>): Scenario['run'] {
  return async (visit) => {
    await visit.open();
    const tab = await visit.openSite(PATIENT);
    await tab.evaluate(isKnown, null);
    await last(visit, tab);
    await tab.close();
    await visit.allArrive(ARRIVE_WITHIN_MS);
  };
}

const NO_FETCH_LATER =
  'nothing of a page outlives its process without fetchLater (https://developer.mozilla.org/docs/Web/API/Window/fetchLater#browser_compatibility)';

const DROPS_REQUESTS =
  'of a closed tab, bare of any tracker, it drops fetch(keepalive) from pagehide now and then (https://developer.mozilla.org/docs/Web/API/RequestInit#keepalive)';

const leavesForGood: readonly Scenario[] = [
  {
    title: 'never returns: tab closed right after track',
    run: closes((visit, tab) => tab.evaluate(trackOnly, visit.events(FEW))),
  },
  {
    title: 'never returns: tab closed right after track, relay slow',
    run: closes((visit, tab) => {
      visit.proxy.order(SLOW);
      return tab.evaluate(trackOnly, visit.events(FEW));
    }),
  },
  {
    title: 'never returns: tab closed after track resolved',
    run: closes((visit, tab) => tab.evaluate(trackAll, visit.events(FEW))),
  },
  {
    title: `never returns: tab closed with ${MANY} records unsettled`,
    run: closes((visit, tab) => tab.evaluate(trackAll, visit.events(MANY))),
  },
  {
    title: `never returns: tab closed with ${MANY} records unsettled, relay slow`,
    run: closes((visit, tab) => {
      visit.proxy.order(SLOW);
      return tab.evaluate(trackAll, visit.events(MANY));
    }),
  },
  {
    title: 'never returns: page crashed with records unsettled',
    impossible: { firefox: NO_FETCH_LATER, webkit: NO_FETCH_LATER },
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite(PATIENT);
      await tab.evaluate(isKnown, null);
      await tab.evaluate(trackAll, visit.events(FEW));
      await tab.crash?.();
      await visit.allArrive(ARRIVE_WITHIN_MS);
    },
  },
];

/** The visitor closes the tab and never returns; the browser stays. */
export const neverReturns: readonly Scenario[] = leavesForGood.map((scenario) => ({
  ...scenario,
  unsure: { firefox: DROPS_REQUESTS },
}));
