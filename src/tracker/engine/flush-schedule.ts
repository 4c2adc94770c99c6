import { flush } from '../delivery/flush.ts';
import type { Page } from '../page/page.ts';
import type { FlushEnd } from '../record/outcome.ts';
import { bare } from '../record/own-fields.ts';
import { rearm } from '../unload/unload-flush.ts';

// Decides when to flush: by number, by age, and again after a wait. One flush runs at a time, and at most
// one more is queued.

// For a flush that throws, which should never happen. Its records stay in the buffer and are tried again.
const AFTER_FAULT: FlushEnd = bare({ reason: 'internal_error', forMs: 30_000 });

function disarm(page: Page): void {
  page.cancelFlush?.();
  page.cancelFlush = undefined;
  page.mustWait = false;
}

function arm(page: Page, forMs: number): void {
  page.cancelFlush = page.time.timer(() => {
    disarm(page);
    void flushNow(page);
  }, forMs);
}

async function run(page: Page, dueBefore = page.time.mono()): Promise<FlushEnd> {
  await page.begun;
  return flush(page, dueBefore);
}

async function begin(page: Page, dueBefore?: number): Promise<FlushEnd> {
  page.appendedMeanwhile = 0;
  page.flushing = run(page, dueBefore).catch(() => AFTER_FAULT);
  const end = await page.flushing;
  page.flushing = undefined;
  disarm(page);
  page.mustWait = !!end.reason;
  if (end.forMs) arm(page, end.forMs);
  rearm(page);
  // The flush may have read the buffer before these were appended; the next one will find them.
  if (!page.nextFlush) scheduleFlush(page, page.appendedMeanwhile);
  return end;
}

/**
 * Flushes now: records made before `dueBefore`, or before now, are due.
 * While a flush runs, it queues one more, which begins at the end of that one.
 */
export function flushNow(page: Page, dueBefore?: number): Promise<FlushEnd> {
  if (!page.flushing) return begin(page, dueBefore);
  page.nextFlush ??= page.flushing.then(() => {
    page.nextFlush = undefined;
    return begin(page);
  });
  return page.nextFlush;
}

/** Call it after an append, with the number of records that wait. */
export function scheduleFlush(page: Page, waiting: number): void {
  if (page.flushing) page.appendedMeanwhile = waiting;
  else if (page.mustWait || !waiting) return;
  // A hidden page may be frozen before the timer fires.
  else if (waiting >= page.settings.batchSize || page.leavesUntil) void flushNow(page);
  else if (!page.cancelFlush) arm(page, page.settings.maxWaitMs);
}

/** Call it when tokens have changed. `sendsNow`: records that were skipped may be sent now. */
export function sendableChanged(page: Page, sendsNow: boolean): void {
  rearm(page);
  if (sendsNow) void flushNow(page);
}
