import { endNetworkPause, SEND_RATE } from '../delivery/send-rate.ts';
import { dropped } from '../delivery/settle.ts';
import type { Page } from '../page/page.ts';
import { choose, forget, isIn, keptKeys, knownChoices, mustForget } from '../page/visitor-state.ts';
import type { Call } from '../record/call.ts';
import type { FlushResult } from '../record/outcome.ts';
import { bare } from '../record/own-fields.ts';
import { COUNTS } from '../store/record-store.ts';
import { statsOf, type TrackerStats } from '../store/stats.ts';
import { called, leave, leaveHidden } from '../unload/unload-flush.ts';
import { flushNow } from './flush-schedule.ts';
import { flushUntilSettled } from './flush-until-settled.ts';
import { write } from './write-calls.ts';

/**
 * Stores and sends a page's calls, as far as the visitor allows it.
 * Nothing is opened, read, locked or sent before the first of these is called.
 */
export type Engine = {
  /** Starts without a call: sends what earlier pages left. */
  readonly open: () => void;
  /** Whether a call that is made now has any effect. */
  readonly isHeard: () => boolean;
  /** Resolves once the record of a call is durable. */
  readonly add: (call: Call) => Promise<void>;
  readonly flush: () => Promise<FlushResult>;
  readonly stats: () => Promise<TrackerStats>;
  readonly optIn: () => Promise<void>;
  readonly optOut: () => Promise<void>;
};

/** Starts once: reads who the visitor is, then sends what earlier pages left. */
function begin(page: Page): void {
  if (page.begun) return;
  const { time, records } = page;
  const begunAt = time.mono();
  page.drained = page.activated();
  void page.drained.then(() => {
    page.isActive = true;
    if (page.settings.backgroundSync) page.askSync = page.askForSync(page.endpointName);
  });
  // If this write fails, later ones may still succeed.
  page.begun = write(page).catch(() => {});
  page.watchPage({
    hidden: () => leaveHidden(page),
    visible: () => {
      page.leavesUntil = 0;
      void flushNow(page);
    },
    online: () => {
      page.tokens?.retry();
      void records.update(SEND_RATE, endNetworkPause).then(() => flushNow(page));
    },
  });
  // Only records of earlier pages are due: the calls of this page wait for more.
  void page.begun.then(() => flushNow(page, begunAt - 1));
}

/** Resolves when the calls made so far are written. */
function drained(page: Page): Promise<void> {
  begin(page);
  return page.drained;
}

async function optOut(page: Page): Promise<void> {
  // Frees space for the mark, in case `localStorage` is full.
  forget(page);
  const isKept = choose(page, true);
  mustForget(page);
  dropped(page, page.gathered?.splice(0) ?? []);
  // Withdraws the request that was left with the browser.
  leave(page);
  begin(page);
  await write(page);
  if (!page.isDegraded) return;
  // The database may hold data that it could not delete.
  if (!isIn(page) && (await page.removeStore(page.endpointName))) forget(page);
  if (!isKept) throw new Error('neither localStorage nor IndexedDB keeps the opt-out');
}

export function createEngine(page: Page): Engine {
  return {
    open: () => {
      // An earlier page may have been closed before it had deleted everything.
      if (isIn(page) || keptKeys(page).length > 0) begin(page);
    },
    isHeard: () => isIn(page),
    add: (call) => {
      begin(page);
      called(page);
      return write(page, bare({ ...call, choices: knownChoices(page) }));
    },
    flush: async () => {
      if (!isIn(page)) {
        // An earlier page may have left an opt-out that is not in the database yet.
        await page.begun;
        return { settled: true };
      }
      await drained(page);
      return flushUntilSettled(page);
    },
    stats: async () => {
      if (!isIn(page)) return statsOf(undefined);
      await drained(page);
      return statsOf(await page.records.get(COUNTS));
    },
    optIn: async () => {
      choose(page, false);
      begin(page);
      await write(page);
    },
    optOut: () => optOut(page),
  };
}
