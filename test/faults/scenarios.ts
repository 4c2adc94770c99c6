import { cuttingProxy } from './cutting-proxy.ts';
import type { EngineName } from './engine.ts';
import {
  countFailures,
  failures,
  hide,
  signalAndTrack,
  trackAll,
  trackAndGo,
  trackAndReload,
  trackColdAndGo,
  trackOnly,
  trackOnSignal,
} from './in-page.ts';
import { until } from './until.ts';
import type { Visit } from './visit.ts';

/** A piece of a visitor's life in which events are made. The visitor comes back afterwards, and all must have arrived. */
export type Scenario = {
  readonly title: string;
  /** Engines in which it can't be played, and why. */
  readonly impossible?: Partial<Record<EngineName, string>>;
  readonly play: (visit: Visit) => Promise<void>;
};

// What is lost now and then shows only when it is done again and again.
const ROUNDS = 10;
const EACH = 3;
const KILLS = 3;
const KILLED_AFTER_MS = 20;

async function rounds(count: number, round: () => Promise<void>): Promise<void> {
  for (let done = 0; done < count; done++) await round();
}

export const SCENARIOS: readonly Scenario[] = [
  {
    title: 'track and stay',
    play: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      await tab.evaluate(trackAll, visit.events(60));
      await until('all have arrived', visit.arrived);
    },
  },
  {
    title: 'track, then location.href in the same task, tracker warm',
    play: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      await rounds(ROUNDS, () =>
        visit.reborn(tab, () =>
          tab.evaluate(trackAndGo, { ...visit.events(EACH), to: `${visit.stack.siteUrl}/?next` }),
        ),
      );
    },
  },
  {
    title: 'track, then location.href in the same task, tracker cold',
    play: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      await rounds(ROUNDS, () =>
        visit.reborn(tab, () =>
          tab.evaluate(trackColdAndGo, {
            ...visit.events(EACH),
            to: `${visit.stack.siteUrl}/?next`,
            endpoint: visit.stack.relayUrl,
          }),
        ),
      );
    },
  },
  {
    title: 'tab closed right after track',
    play: async (visit) => {
      await visit.open();
      await rounds(ROUNDS, async () => {
        const tab = await visit.openSite();
        await tab.evaluate(trackOnly, visit.events(EACH));
        await tab.close();
      });
    },
  },
  {
    title: 'tab closed right after track, and the visitor never returns',
    play: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      await tab.evaluate(trackOnly, visit.events(EACH));
      await tab.close();
      await until('all have arrived', visit.arrived, 15_000);
    },
  },
  {
    title: 'tab closed after track resolved, and the visitor never returns',
    play: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      await tab.evaluate(trackAll, visit.events(EACH));
      await tab.close();
      await until('all have arrived', visit.arrived, 15_000);
    },
  },
  {
    title: 'track, then reload in the same task',
    play: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      await rounds(ROUNDS, () => visit.reborn(tab, () => tab.evaluate(trackAndReload, visit.events(EACH))));
    },
  },
  {
    title: `browser killed ${KILLED_AFTER_MS} ms after track resolved`,
    play: (visit) =>
      rounds(KILLS, async () => {
        await visit.open();
        const tab = await visit.openSite();
        await visit.killAfter(KILLED_AFTER_MS, () => tab.evaluate(trackAll, visit.events(EACH)));
      }),
  },
  {
    title: 'relay down while tracking, page closed, relay back, page reopened',
    play: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      await tab.evaluate(countFailures, null);
      await visit.stack.stopRelay();
      try {
        await tab.evaluate(trackAll, visit.events(60));
        await until('sending has failed', async () => (await tab.evaluate(failures, null)) > 0);
        await tab.close();
        await visit.close();
      } finally {
        await visit.stack.startRelay();
      }
    },
  },
  {
    title: 'two tabs track at once',
    play: async (visit) => {
      await visit.open();
      const [one, other] = [await visit.openSite(), await visit.openSite()];
      await rounds(ROUNDS, async () => {
        await other.evaluate(trackOnSignal, visit.events(EACH));
        await one.evaluate(signalAndTrack, visit.events(EACH));
      });
      await until('all have arrived', visit.arrived, 60_000);
    },
  },
  {
    title: 'answer lost after the relay has stored, then recovery',
    play: async (visit) => {
      const proxy = await cuttingProxy(visit.stack.relayUrl);
      try {
        visit.goBy(proxy.url);
        await visit.open();
        const tab = await visit.openSite();
        proxy.cut(true);
        await tab.evaluate(trackAll, visit.events(30));
        await until('two answers are lost', () => proxy.lost() >= 2);
        proxy.cut(false);
        await visit.comeBack();
      } finally {
        proxy.stop();
        visit.goBy(visit.stack.relayUrl);
      }
    },
  },
  {
    title: 'offline for a while in a hidden page',
    impossible: {
      webkit:
        'no command of WebKitWebDriver takes the network away (https://w3c.github.io/webdriver/#endpoints)',
    },
    play: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      await tab.evaluate(countFailures, null);
      await tab.setOffline?.(true);
      await tab.evaluate(hide, null);
      await tab.evaluate(trackAll, visit.events(30));
      await until('sending has failed', async () => (await tab.evaluate(failures, null)) > 0);
      await tab.setOffline?.(false);
      await until('all have arrived', visit.arrived, 60_000);
    },
  },
];
