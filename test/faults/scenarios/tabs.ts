import type { Tab } from '../engines/engine.ts';
import {
  isNotLeaving,
  noteHiding,
  readPageEvents,
  signalAndTrack,
  startFlush,
  trackAll,
  trackOnly,
  trackOnSignal,
} from '../page/in-page.ts';
import { until } from '../until.ts';
import type { Visit } from '../visit.ts';
import { assertPace } from './pace.ts';
import { assert, ROUNDS, rounds, type Scenario } from './scenario.ts';

const EACH = 3;
// The defaults of production.
const ALLOWANCE = { requestsPerMinute: 60, burst: 5 };
// Where a lock is not given back, the other tab goes on beside its holder after a while.
const GO_ON_WITHIN_MS = 60_000;
const WITH_A_HOLDER_MS = 100_000;

/** One tab holds the flush and has no answer; something happens to it; the other tab's records and its own arrive. */
function holderStops(stop: (holder: Tab, visit: Visit) => Promise<unknown>): Scenario['run'] {
  return async (visit) => {
    await visit.open();
    const [holder, other] = [await visit.openSite(), await visit.openSite()];
    visit.proxy.order({ kind: 'hang' });
    await holder.evaluate(trackAll, visit.events(EACH));
    await holder.evaluate(startFlush, null);
    await until('a request hangs', () => visit.proxy.seen().length > 0);
    await other.evaluate(trackAll, visit.events(EACH));
    await stop(holder, visit);
    visit.proxy.order({ kind: 'open' });
    await other.evaluate(startFlush, null);
    await visit.allArrive(GO_ON_WITHIN_MS);
  };
}

export const tabs: readonly Scenario[] = [
  {
    title: 'two tabs track at once: nothing is sent twice, and both share one allowance',
    withoutOrder: true,
    run: async (visit) => {
      await visit.open();
      const one = await visit.openSite(ALLOWANCE);
      await one.evaluate(noteHiding, null);
      const other = await visit.openSite(ALLOWANCE);
      // Behind the other it may be about to go: for a moment it sends its calls by itself.
      await until('the first tab goes on in the background', () => one.evaluate(isNotLeaving, null));
      await rounds(ROUNDS, async () => {
        await other.evaluate(trackOnSignal, visit.events(EACH));
        await one.evaluate(signalAndTrack, visit.events(EACH));
      });
      await visit.allArrive();
      assertPace(visit.proxy.seen(), ALLOWANCE);
      const pageEvents = [
        await one.evaluate(readPageEvents, null),
        await other.evaluate(readPageEvents, null),
      ];
      const duplicates = pageEvents.reduce((sum, { duplicates }) => sum + duplicates, 0);
      assert(duplicates === 0, `the relay had ${duplicates} of them already`);
    },
  },
  {
    title: 'the tab that flushes is closed while its request hangs: another tab takes over',
    withoutOrder: true,
    withinMs: WITH_A_HOLDER_MS,
    run: holderStops((holder) => holder.close()),
  },
  {
    title: 'the tab that flushes crashes while its request hangs: another tab takes over',
    impossible: {
      firefox: 'its driver has no command that crashes a tab (https://w3c.github.io/webdriver-bidi/#modules)',
    },
    withoutOrder: true,
    withinMs: WITH_A_HOLDER_MS,
    run: holderStops(async (holder) => holder.crash?.()),
  },
  {
    title: 'the tab that flushes is frozen while its request hangs: another tab takes over',
    impossible: {
      firefox: 'its driver freezes no tab (https://w3c.github.io/webdriver-bidi/#modules)',
      webkit: 'its driver freezes no tab (https://w3c.github.io/webdriver/#endpoints)',
    },
    withoutOrder: true,
    withinMs: WITH_A_HOLDER_MS,
    run: holderStops(async (holder) => holder.setFrozen?.(true)),
  },
  {
    title: 'one of two tabs is closed right after track, the other stays open',
    withoutOrder: true,
    run: async (visit) => {
      await visit.open();
      const stays = await visit.openSite();
      await rounds(3, async () => {
        const goes = await visit.openSite();
        await stays.evaluate(trackOnly, visit.events(EACH));
        await goes.evaluate(trackOnly, visit.events(EACH));
        await goes.close();
      });
    },
  },
];
