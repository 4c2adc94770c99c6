import type { Tab } from '../engines/engine.ts';
import {
  openWindow,
  trackAll,
  trackAndClick,
  trackAndCloseWindow,
  trackAndGo,
  trackAndReload,
  trackColdAndGo,
  trackOnLeaving,
  trackOnly,
} from '../page/in-page.ts';
import { within } from '../until.ts';
import type { Visit } from '../visit.ts';
import { ROUNDS, rounds, type Scenario } from './scenario.ts';

const EACH = 3;
const BURST = 200;
const KILLS = 3;
const KILLED_AFTER_MS = 20;
// Chromium waits half a second for the last words of a page.
const BUSY_MS = 900;
const COLD_CALLS = 50;
const BEGINS_WITHIN_MS = 30_000;
// A browser takes its time to start.
const WITH_NEW_BROWSERS_MS = 150_000;

// As long as in production: what is sent early is no test of what is sent late.
const PATIENT = { maxWaitMs: 5_000 };

/** A visitor whose page goes again and again in the task of its last calls. */
function leaves(leave: (visit: Visit, tab: Tab) => Promise<unknown>): Scenario['run'] {
  return async (visit) => {
    await visit.open();
    const tab = await visit.openSite(PATIENT);
    await rounds(ROUNDS, () => visit.reload(tab, () => leave(visit, tab)));
  };
}

/** The last task before a page goes. */
export const unload: readonly Scenario[] = [
  {
    title: 'track, then location.href in the same task, tracker warm',
    run: leaves((visit, tab) => tab.evaluate(trackAndGo, { ...visit.events(EACH), to: visit.nextPage() })),
  },
  {
    title: 'track, then location.href in the same task, tracker cold',
    run: leaves((visit, tab) =>
      tab.evaluate(trackColdAndGo, {
        ...visit.events(EACH),
        to: visit.nextPage(),
        endpoint: visit.proxy.url,
      }),
    ),
  },
  {
    title: `${BURST} calls, then location.href in the same task`,
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite(PATIENT);
      await visit.reload(tab, () =>
        tab.evaluate(trackAndGo, { ...visit.events(BURST), to: visit.nextPage() }),
      );
    },
  },
  {
    title: 'track, then reload in the same task',
    run: leaves((visit, tab) => tab.evaluate(trackAndReload, visit.events(EACH))),
  },
  {
    title: 'track, then a click on a link in the same task',
    run: leaves((visit, tab) => tab.evaluate(trackAndClick, { ...visit.events(EACH), on: 'a' })),
  },
  {
    title: 'track, then a form is sent in the same task',
    run: leaves((visit, tab) => tab.evaluate(trackAndClick, { ...visit.events(EACH), on: 'form button' })),
  },
  {
    title: "track in the page's visibilitychange and pagehide listeners",
    run: leaves((visit, tab) =>
      tab.evaluate(trackOnLeaving, { ...visit.events(2 * EACH), to: visit.nextPage() }),
    ),
  },
  {
    title: 'tab closed right after track',
    run: async (visit) => {
      await visit.open();
      await rounds(ROUNDS, async () => {
        const tab = await visit.openSite(PATIENT);
        await tab.evaluate(trackOnly, visit.events(EACH));
        await tab.close();
      });
    },
  },
  {
    title: 'track, then the page closes its own window in the same task',
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite(PATIENT);
      await rounds(ROUNDS, async () => {
        await tab.evaluate(openWindow, visit.nextPage());
        await tab.evaluate(trackAndCloseWindow, visit.events(EACH));
      });
    },
  },
  {
    title: 'track, then a busy page closes its own window in the same task, and the browser is closed',
    withinMs: WITH_NEW_BROWSERS_MS,
    run: (visit) =>
      rounds(KILLS, async () => {
        await visit.open();
        const tab = await visit.openSite(PATIENT);
        await tab.evaluate(openWindow, visit.nextPage());
        await tab.evaluate(trackAndCloseWindow, { ...visit.events(EACH), busyMs: BUSY_MS });
        await visit.close();
      }),
  },
  {
    title: 'browser closed right after track',
    run: (visit) =>
      rounds(KILLS, async () => {
        await visit.open();
        const tab = await visit.openSite(PATIENT);
        await tab.evaluate(trackOnly, visit.events(EACH));
        await visit.close();
      }),
  },
  {
    title: `browser killed ${KILLED_AFTER_MS} ms after track resolved`,
    withinMs: WITH_NEW_BROWSERS_MS,
    run: (visit) =>
      rounds(KILLS, async () => {
        await visit.open();
        const tab = await visit.openSite(PATIENT);
        await visit.killAfter(KILLED_AFTER_MS, () => tab.evaluate(trackAll, visit.events(EACH)));
      }),
  },
  {
    title: `${COLD_CALLS} calls in the page's first task, browser killed ${KILLED_AFTER_MS} ms after: no call is lost whose promise had resolved`,
    withinMs: WITH_NEW_BROWSERS_MS,
    // WebKitGTK that is killed so soon after it made its first database has lost all of it in 3 of 36 runs.
    retry: 1,
    run: (visit) =>
      rounds(KILLS, async () => {
        await visit.open();
        const inFirstTask = visit.unsettled(COLD_CALLS);
        await visit.killAfter(KILLED_AFTER_MS, () => {
          const begun = visit.site.begun();
          // Its page is gone before it has loaded, and so is the driver's answer.
          visit.openTab(visit.site.pageUrl({ ...PATIENT, inFirstTask })).catch(() => {});
          return within('the page begins', BEGINS_WITHIN_MS, begun);
        });
      }),
  },
];
