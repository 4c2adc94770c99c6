import type { createEnds } from '../engine/events.ts';
import type { Platform } from '../engine/platform.ts';
import { keptKeys, type RunningTracker, removeKept, runTracker } from '../engine/running-tracker.ts';
import { type Consent, nameOf, type Settings } from '../options.ts';
import type { PageStorage } from '../platform/local-storage.ts';
import { randomId } from '../record/random-id.ts';
import { visitorsChoice } from './choice.ts';
import { waitingCalls } from './pending-calls.ts';

/** What the visitor lets be made of calls: on this page by `consent`, and in all tabs by what they have chosen. */
export type UnderConsent = {
  /** Whether the visitor has yet to choose, and calls wait. */
  readonly isPending: () => boolean;
  /** Whether anything becomes of a call that is made now. */
  readonly isHeard: () => boolean;
  /** Has the tracker make a call at once, or once it runs; not at all where the visitor wants none of this. */
  readonly make: <End>(
    by: (tracker: RunningTracker) => End | Promise<End>,
    isEvent?: boolean,
  ) => End | Promise<End | undefined> | undefined;
  readonly optIn: () => Promise<void>;
  readonly optOut: () => Promise<void>;
};

/**
 * Runs a tracker while the visitor consents. Before that nothing of the platform is looked at but whether it sends GPC.
 *
 * @param isForBuffer for the buffer alone, which is there because the visitor has consented: nothing is done before the first call
 */
export function underConsent(
  settings: Settings,
  platform: Platform,
  ends: ReturnType<typeof createEnds>,
  isForBuffer: boolean,
): UnderConsent {
  const name = nameOf(settings.endpoint);
  const choice = visitorsChoice(platform.pageStorage, name);
  const whileIn = choice.whileIn((choices) => {
    const isIn = () => choice.now() === choices;
    // What is not there any more can't be written down again.
    const pageStorage: PageStorage = {
      ...platform.pageStorage,
      set: (key, value) => isIn() && platform.pageStorage.set(key, value),
    };
    return runTracker(settings, { ...platform, pageStorage }, ends, choice, choices, isIn);
  });
  /** What a tracker has left that does not run. */
  const removeLeft = () => {
    removeKept(platform.pageStorage, name);
    return platform.removeStorage(name);
  };

  let consent: Consent = 'granted';
  if (!isForBuffer) consent = settings.respectGpc && platform.sendsGpc() ? 'denied' : settings.consent;
  // Said yes, and what an earlier no has left is still being cleared away.
  let isBeginning = false;
  const running = () => (consent === 'granted' ? whileIn() : undefined);
  const isWaiting = () => isBeginning || consent === 'pending';
  const waiting = waitingCalls<RunningTracker>(settings.maxRecords, () =>
    // Of what waits no record is made yet, which would have an id.
    ends.tell('dropped', { ids: [''], reason: 'over_max_records' }),
  );
  // One that was left in the middle of forgetting has not forgotten everything.
  if (!isForBuffer && consent === 'granted' && !running()) void removeLeft();
  let stopping: Promise<unknown> | undefined;
  let outs = 0;

  /** Has the visitor in again, as nobody that is known, unless another tab has. */
  async function comeBack(isLatest: () => boolean): Promise<void> {
    const out = choice.now();
    const isOut = () => choice.now() === out;
    const begin = () => isOut() && isLatest() && choice.set(out + 1);
    if (!choice.isKept()) return void begin();
    // Another tab may be about to forget the rest; or is gone, and has not.
    const storage = platform.storage(name, () => {}, isOut);
    const exclusive = platform.exclusive(name, storage, randomId(platform.chance.bytes));
    const clear = async () => {
      if (!isOut()) return;
      removeKept(platform.pageStorage, name);
      await storage.clear();
      begin();
    };
    let clearing: Promise<void> | undefined;
    // Stolen from, it goes on by itself, and what waits must not be let go before it has.
    await exclusive(async () => {
      clearing = clear();
      await clearing;
    })
      .catch(() => clearing)
      .catch(() => {});
  }

  return {
    isPending: () => !isBeginning && consent === 'pending',
    isHeard: () => isWaiting() || !!running(),
    make: (by, isEvent) => {
      if (isWaiting()) return waiting.add(by, isEvent);
      const tracker = running();
      return tracker && by(tracker);
    },
    optOut: async () => {
      outs++;
      // Where no page has left anything, no other tab is at work: to a visitor who refuses nothing is done, not even a mark.
      const isKnown =
        consent === 'granted' || choice.isKept() || keptKeys(platform.pageStorage, name).length > 0;
      if (consent === 'pending') consent = 'denied';
      isBeginning = false;
      waiting.end(undefined);
      stopping = (isKnown && whileIn()?.stop()) || stopping || removeLeft();
      await stopping;
    },
    optIn: async () => {
      const outsBefore = outs;
      // Of several wishes the latest counts.
      const isLatest = () => outs === outsBefore;
      // What is called by now waits until it has begun.
      isBeginning = !running();
      // What begins anew must not be forgotten with the rest.
      if (stopping) await stopping;
      if (isLatest() && !whileIn()) await comeBack(isLatest);
      if (!isLatest()) return;
      consent = 'granted';
      isBeginning = false;
      waiting.end(running());
    },
  };
}
