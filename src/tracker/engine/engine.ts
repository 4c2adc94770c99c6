import { endNetworkPause, SEND_RATE } from '../delivery/send-rate.ts';
import type { Page } from '../page/page.ts';
import { choose, forget, isIn } from '../page/visitor-state.ts';
import type { Call } from '../record/call.ts';
import type { Captured } from '../record/capture.ts';
import type { FlushResult } from '../record/outcome.ts';
import { COUNTS } from '../store/record-store.ts';
import { statsOf, type TrackerStats } from '../store/stats.ts';
import { called, leave, leaveHidden } from '../unload/unload-flush.ts';
import { flushNow } from './flush-schedule.ts';
import { flushUntilSettled } from './flush-until-settled.ts';
import { write } from './write-calls.ts';

/** When a call was made. */
export type CallTime = { readonly wall: number; readonly mono: number };

/**
 * Keeps and sends the calls of a page, as far as the visitor lets it. Nothing is opened, read, locked or sent before the
 * first of these is called.
 */
export type Engine = {
  /** Begins without a call: sends what earlier pages left. */
  readonly open: () => void;
  /** Whether anything becomes of a call that is made now. */
  readonly isHeard: () => boolean;
  /** Resolves once the record of a call is durable. */
  readonly add: (call: Captured | Pick<Call, 'kind' | 'json' | 'anonymousId'>, at: CallTime) => Promise<void>;
  readonly flush: () => Promise<FlushResult>;
  readonly stats: () => Promise<TrackerStats>;
  readonly optIn: () => Promise<void>;
  readonly optOut: () => Promise<void>;
};

/** Begins, once: reads who the visitor is, and then sends what earlier pages left. */
function begin(page: Page): void {
  if (page.begun) return;
  const { time, records } = page;
  const begunAt = time.mono();
  page.begun = write(page);
  void page.activated().then(() => {
    page.isActive = true;
    if (page.settings.backgroundSync) page.askSync = page.askForSync(page.endpointName);
  });
  page.watchPage({
    hidden: () => leaveHidden(page),
    visible: () => {
      page.isHidden = false;
      void flushNow(page);
    },
    online: () => void records.update(SEND_RATE, endNetworkPause).then(() => flushNow(page)),
  });
  // The calls of this page wait for more of them.
  void page.begun.then(() => flushNow(page, begunAt - 1));
}

/** Resolves when the calls made so far are written. */
function drained(page: Page): Promise<void> {
  begin(page);
  return page.drained;
}

export function createEngine(page: Page): Engine {
  return {
    open: () => {
      // One that was left in the middle of forgetting has not forgotten everything.
      if (isIn(page) || forget(page)) begin(page);
    },
    isHeard: () => isIn(page),
    add: (captured, at) => {
      begin(page);
      called(page);
      const choices = page.isConfirmed ? page.visitor.choices : undefined;
      return write(page, { ...captured, ...at, id: `${page.session}.${++page.seq}`, choices });
    },
    flush: async () => {
      if (!isIn(page)) return { settled: true };
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
    optOut: async () => {
      const isKept = choose(page, true);
      // Takes back what was left with the browser.
      leave(page);
      begin(page);
      await write(page);
      if (!isKept && page.isDegraded)
        throw new Error('opted out for this page alone: the browser keeps nothing');
    },
  };
}
