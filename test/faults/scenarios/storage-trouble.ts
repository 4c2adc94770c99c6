import type { Events } from '../page/in-page.ts';
import { flush, readPageEvents, startFlush, trackAll } from '../page/in-page.ts';
import type { PageEvents } from '../page/page-parts.ts';
import { loseConnections, type Trouble } from '../page/page-troubles.ts';
import { until } from '../until.ts';
import type { Visit } from '../visit.ts';
import { assert, type Scenario } from './scenario.ts';

const SOME = 30;
const EACH = 3;

/** The page goes on, all arrives while it stays, and where records no longer outlive it, that is reported. */
function goesOn(trouble: Trouble, outlive: 'durable' | 'degraded'): Scenario['run'] {
  return async (visit) => {
    await visit.open();
    const tab = await visit.openSite({ troubles: [trouble] });
    await tab.evaluate(trackAll, visit.events(SOME));
    await visit.allArrive();
    await tab.evaluate(trackAll, visit.events(EACH));
    await visit.allArrive();
    assertDegraded(await tab.evaluate(readPageEvents, null), outlive);
  };
}

function assertDegraded({ degraded }: PageEvents, outlive: 'durable' | 'degraded'): void {
  if (outlive === 'durable') assert(degraded === 0, 'reported that records do not outlive the page');
  else assert(degraded > 0, 'not reported that records do not outlive the page');
}

/** Some arrive, then something happens to what is stored, and later ones arrive too. */
function goesOnAfter(happens: (visit: Visit) => Promise<unknown>): Scenario['run'] {
  return async (visit) => {
    await visit.open();
    const tab = await visit.openSite();
    await tab.evaluate(trackAll, visit.events(SOME));
    await visit.allArrive();
    await until('the buffer is settled', async () => (await tab.evaluate(flush, null)).settled);
    await happens(visit);
    await tab.evaluate(trackAll, visit.events(EACH));
    await visit.allArrive();
  };
}

function clearSiteData(): Promise<boolean> {
  localStorage.setItem('before', 'yes');
  return fetch('/clear').then(async (answer) => {
    await answer.text();
    return localStorage.getItem('before') === null;
  });
}

async function deleteDatabases(): Promise<number> {
  const names = (await indexedDB.databases()).flatMap(({ name }) => name ?? []);
  await Promise.all(
    names.map(
      (name) =>
        new Promise((resolve, reject) => {
          const request = indexedDB.deleteDatabase(name);
          request.onsuccess = resolve;
          request.onerror = () => reject(request.error);
        }),
    ),
  );
  return names.length;
}

/** An earlier release's tab, which heeds nobody. Of the database it has what all releases have. */
function holdDatabase(endpoint: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(`webengage-relay:${endpoint}`, 1);
    request.onupgradeneeded = () => request.result.createObjectStore('records', { autoIncrement: true });
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      Object.assign(globalThis, { held: request.result });
      resolve();
    };
  });
}

const askFrame = (events: Events): Promise<PageEvents> =>
  (globalThis as unknown as { askFrame: (events: Events) => Promise<PageEvents> }).askFrame(events);

/** Whatever is wrong with what a browser stores. */
export const storageTrouble: readonly Scenario[] = [
  { title: 'IndexedDB is missing', run: goesOn('indexedDbMissing', 'degraded') },
  { title: 'IndexedDB is refused', run: goesOn('openThrows', 'degraded') },
  { title: 'IndexedDB never answers', run: goesOn('openNeverAnswers', 'degraded') },
  { title: 'the disk is full', run: goesOn('diskFull', 'degraded') },
  { title: 'Web Locks are missing', run: goesOn('locksMissing', 'durable') },
  { title: 'localStorage is denied', run: goesOn('localStorageDenied', 'durable') },
  {
    title: 'the connection to the database is lost, and a new one works',
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite({ troubles: ['connectionsCanBeLost'] });
      await tab.evaluate(trackAll, visit.events(SOME));
      await tab.evaluate(loseConnections, false);
      await tab.evaluate(trackAll, visit.events(EACH));
      await visit.allArrive();
      assertDegraded(await tab.evaluate(readPageEvents, null), 'durable');
    },
  },
  {
    title: 'the connection to the database is lost permanently',
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite({ troubles: ['connectionsCanBeLost'] });
      await tab.evaluate(trackAll, visit.events(SOME));
      await visit.allArrive();
      await tab.evaluate(loseConnections, true);
      await tab.evaluate(trackAll, visit.events(EACH));
      await visit.allArrive();
      assertDegraded(await tab.evaluate(readPageEvents, null), 'degraded');
    },
  },
  {
    title: "the site's data is cleared under a live tab",
    run: goesOnAfter(async (visit) => {
      const tab = await visit.openTab(visit.site.quietUrl);
      assert(await tab.evaluate(clearSiteData, null), 'the browser has cleared nothing');
    }),
  },
  {
    title: 'another tab deletes the database under a live tab',
    run: goesOnAfter(async (visit) => {
      const tab = await visit.openTab(visit.site.quietUrl);
      assert((await tab.evaluate(deleteDatabases, null)) > 0, 'there is no database to delete');
    }),
  },
  {
    title: 'another tab holds the database at its first version',
    run: async (visit) => {
      await visit.open();
      const holder = await visit.openTab(visit.site.quietUrl);
      await holder.evaluate(holdDatabase, visit.proxy.url);
      const tab = await visit.openSite();
      await tab.evaluate(trackAll, visit.events(SOME));
      await tab.evaluate(startFlush, null);
      await visit.allArrive();
    },
  },
  {
    title: 'a frame without an origin, so without any storage',
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite({ framed: true });
      const pageEvents = await tab.evaluate(askFrame, visit.events(SOME));
      await visit.allArrive();
      assertDegraded(pageEvents, 'degraded');
    },
  },
  {
    title: 'a private window',
    run: async (visit) => {
      await visit.open({ isPrivate: true });
      const tab = await visit.openSite();
      await tab.evaluate(() => localStorage.setItem('mark', 'set'), null);
      await tab.evaluate(trackAll, visit.events(SOME));
      await visit.allArrive();
      await visit.close();
      await visit.open();
      const later = await visit.openSite();
      assert((await later.evaluate(() => localStorage.getItem('mark'), null)) === null, 'nothing is private');
    },
  },
];
