import { flushStep } from '../delivery/flush.ts';
import type { Page } from '../page/page.ts';
import type { FlushEnd } from '../record/outcome.ts';
import { bare } from '../record/own-fields.ts';
import { rearm } from '../unload/unload-flush.ts';

// Decides when to flush: by number, by age, and again after a wait. One flush runs at a time.

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

/** Sends due records, batch by batch, oldest first, until none is due or something has to wait. */
async function flush(page: Page): Promise<FlushEnd> {
  await page.begun;
  let end: FlushEnd | undefined;
  do {
    page.isAskedAgain = false;
    page.appendedMeanwhile = 0;
    end = await page.exclusive(() => flushStep(page)).catch(() => AFTER_FAULT);
  } while (!end || page.isAskedAgain);
  page.flushing = undefined;
  disarm(page);
  page.mustWait = !!end.reason;
  if (end.forMs) arm(page, end.forMs);
  rearm(page);
  // The last step may have read the buffer before these were appended.
  scheduleFlush(page, page.appendedMeanwhile);
  return end;
}

/**
 * Flushes now: records made before `dueBefore`, or before now, are due.
 * A flush that is under way looks once more before it ends.
 */
export function flushNow(page: Page, dueBefore: number = page.time.mono()): Promise<FlushEnd> {
  page.dueBefore = Math.max(page.dueBefore, dueBefore);
  page.isAskedAgain = true;
  page.flushing ??= flush(page);
  return page.flushing;
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
