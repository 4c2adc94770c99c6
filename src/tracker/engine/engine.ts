import type { AddOn } from '../add-ons/add-on.ts';
import type { Call } from '../record/call.ts';
import type { Captured } from '../record/capture.ts';
import type { FlushResult } from '../record/outcome.ts';
import { COUNTS } from '../store/record-store.ts';
import { statsOf, type TrackerStats } from '../store/stats.ts';
import { flushUntilSettled } from './flush-until-settled.ts';
import { createLeaving } from './leaving.ts';
import { createPage, type Page, type TrackerParts } from './page.ts';
import { createSending, type Sending } from './sending.ts';
import { createWriteQueue, type WriteQueue } from './write-queue.ts';
import { createWriter } from './writer.ts';

/** When and where a call was made. */
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

type Started = Sending & {
  readonly queue: WriteQueue;
  /** Resolves once the visitor is known. */
  readonly start: () => Promise<void>;
  readonly called: () => void;
};

/** Puts the parts together that write, send and leave. */
function assemble(page: Page, addOn: AddOn): Started {
  const { time, visitor, activated } = page;
  let known: Promise<void> | undefined;
  let isActive = false;

  function start(): Promise<void> {
    if (known) return known;
    known = queue.add();
    void activated().then(() => {
      isActive = true;
    });
    page.watchPage({
      hidden: leaving.hidden,
      visible: () => {
        leaving.visible();
        void schedule.now();
      },
      online: () => void sending.online(),
    });
    // What earlier pages left; the calls of this page wait for more of them.
    const startedAt = time.mono();
    void known.then(() => schedule.now(startedAt - 1));
    return known;
  }

  const sending = createSending(page, addOn, {
    pending: () => queue.pending(),
    preview: () => writer.preview(queue.pending()),
    ready: start,
  });
  const { schedule } = sending;
  const writer = createWriter(page, sending.appended);
  const queue = createWriteQueue(activated(), writer.append);
  // Until the database has answered nothing can be written there, and a browser that is killed may take it all along.
  const isCold = () => isActive && !visitor.isConfirmed();
  const leaving = createLeaving({ ...page, ...sending, isCold });
  return { ...sending, queue, start, called: leaving.called };
}

export function createEngine(parts: TrackerParts, addOn: AddOn): Engine {
  const page = createPage(parts);
  const { visitor } = page;
  const { queue, start, called, ...sending } = assemble(page, addOn);
  let seq = 0;

  return {
    // One that was left in the middle of forgetting has not forgotten everything.
    open: () => void ((visitor.isIn() || visitor.forget()) && start()),
    isHeard: visitor.isIn,
    add: (captured, at) => {
      void start();
      const choices = visitor.isConfirmed() ? visitor.now().choices : undefined;
      const written = queue.add({ ...captured, ...at, id: `${page.session}.${++seq}`, choices });
      called();
      return written;
    },
    flush: async () => {
      if (!visitor.isIn()) return { settled: true };
      void start();
      await queue.drained();
      return flushUntilSettled({ ...page, ...sending });
    },
    stats: async () => {
      if (!visitor.isIn()) return statsOf(undefined);
      void start();
      await queue.drained();
      return statsOf(await page.records.get(COUNTS));
    },
    optIn: async () => {
      visitor.choose(false);
      void start();
      await queue.add();
    },
    optOut: async () => {
      const isKept = visitor.choose(true);
      // Takes back what was left with the browser.
      sending.unload.leave();
      void start();
      await queue.add();
      if (!isKept && !page.isDurable())
        throw new Error('the opt-out holds for this page alone: neither localStorage nor IndexedDB keeps it');
    },
  };
}
