import { MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import { takeToken } from '../../pacing/allowance.ts';
import { fitting } from '../delivery/batch-limits.ts';
import { MAX_KEEPALIVE_BYTES, relayRequest, sendBatch } from '../delivery/relay-client.ts';
import { ownPause, pausedForMs } from '../delivery/send-rate.ts';
import { relayNow } from '../page/clock.ts';
import type { ById, Page, UnloadRequest } from '../page/page.ts';
import { pendingCalls, pendingRecords } from '../page/pending-records.ts';
import { clearSpill, writeSpill } from '../page/spill.ts';
import { allUnsettled, isSetAside } from '../page/unsettled.ts';
import { isCurrent, isFresh, isIn } from '../page/visitor-state.ts';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import type { Call, Entry } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';

// Keeps a page ready to unload at any moment, without the database and without a lock: neither
// would answer in time.

// A page that tracks all the time must not pay for a new request each time.
const REARM_AFTER_MS = 200;

// How long after a page is hidden its calls may be its last. A page that goes on in the background flushes
// like any other after that.
const LAST_CALLS_MS = 1_000;

/** The calls that the database does not hold: those in flight, or all of them if there is no database. */
function unsaved(page: Page): readonly Call[] {
  if (!isIn(page)) return [];
  const { spilled = [], isDegraded } = page;
  return [...spilled, ...(isDegraded ? allUnsettled(page) : []), ...pendingCalls(page)];
}

/**
 * The first unsettled records that may be sent. Every record before one of these in the buffer is among them,
 * unless it is skipped.
 *
 * @param all includes records that may overtake others, if nothing else keeps them
 */
function sendable(page: Page, all: boolean): readonly Entry[] {
  const { isWhole, sentOnUnload, isDegraded } = page;
  const pause = ownPause(page, page.pause);
  // A failed network is no reason not to try.
  const isPaused = pause?.reason !== 'network' && pausedForMs(pause, relayNow(page));
  // Later records would overtake those that could not be delivered.
  const hasFailed = sentOnUnload.some(({ outcome }) => outcome?.reason);
  if (isPaused || hasFailed || !isIn(page)) return [];
  // Nor may records from before a choice that this page has not read yet.
  if (!isCurrent(page)) return [];
  const known = allUnsettled(page).filter(({ key }) => all || key <= page.reach);
  // Without a database, a spill may become records of another device: then it must not have been sent. Nor if the
  // next page may find another anonymous id.
  const calls =
    (all || (isWhole && !isDegraded && !page.awaitsId)) && isFresh(page) ? pendingRecords(page) : [];
  const entries = [...known, ...calls].filter((entry) => !isSetAside(page, entry));
  return (page.tokens?.together(entries, true) ?? entries).slice(0, MAX_REQUEST_RECORDS);
}

/**
 * The records to send in one request that outlives the page. Empty if all of them were sent that way already.
 */
function unloadBatch(page: Page, all: boolean): readonly Entry[] {
  const batch = sendable(page, all);
  const gone: ById<true> = bare({});
  let bytes = MAX_KEEPALIVE_BYTES;
  for (const request of page.sentOnUnload) {
    // All requests in flight share one budget.
    if (!request.outcome) [, bytes] = fitting(request.batch, bytes);
    for (const { id } of request.batch) gone[id] = true;
  }
  // Records in flight are sent once more if they fit: a request without them could overtake them.
  return batch.every(({ id }) => gone[id]) ? [] : fitting(batch, bytes)[0];
}

/**
 * Leaves a batch with the browser, in place of the one before. The browser sends it once the page is gone,
 * even after a crash.
 * The response is never read: the records stay in the buffer, and the relay recognizes them
 * when they come again.
 */
function arm(page: Page): void {
  page.armed?.abort();
  const armed = new AbortController();
  page.armed = armed;
  const batch = page.fetchLater ? unloadBatch(page, false) : [];
  if (batch.length === 0) return;
  // The site may have used up the quota, or its policy may forbid it. The records stay in the buffer.
  tryOrUndefined(() => {
    const [url, init] = relayRequest(page, batch, false);
    page.fetchLater?.(url, bare({ ...init, signal: armed.signal }));
  });
}

/** Call it when the set of unsettled records has changed, or which of them are in flight. */
export function rearm(page: Page): void {
  if (unsaved(page).length === 0) clearSpill(page);
  if (!page.fetchLater) return;
  page.hasChanged = page.isResting;
  if (page.isResting) return;
  arm(page);
  // With nothing to send that cost nothing, and the first record need not wait.
  if (allUnsettled(page).length > 0) {
    page.isResting = true;
    page.time.timer(() => {
      page.isResting = false;
      if (page.hasChanged) rearm(page);
    }, REARM_AFTER_MS);
  }
}

/** Spills what the database has not taken yet. Returns false if that can't be kept. */
function keep(page: Page): boolean {
  return writeSpill(page, unsaved(page));
}

/**
 * Call it when the page may be gone in a moment.
 * It spills what the database does not hold. It sends all that fits, oldest first, in one request
 * that outlives the page: of several, one could overtake the other. The next page sends the rest,
 * which then comes after.
 */
export function leave(page: Page): void {
  // There may be no storage any more: WebKit does this in a window that closes itself.
  const batch = unloadBatch(page, !keep(page));
  if (batch.length > 0) {
    const request: UnloadRequest = bare({ batch, answer: sendBatch(page, batch, true) });
    page.sentOnUnload = [...page.sentOnUnload, request];
    void request.answer.then((outcome) => {
      request.outcome = outcome;
    });
  }
  arm(page);
  // Sent or not: a page that is gone never learns the outcome.
  if (batch.length > 0 || unsaved(page).length > 0) page.askSync?.();
}

/**
 * Flushes a page that has just been hidden, within an allowance: a visitor may switch tabs back and forth.
 */
function leaveWithin(page: Page): void {
  const { fullAt, inMs } = takeToken(page.leaveFullAt, page.settings, page.time.mono());
  if (inMs > 0) return void keep(page);
  page.leaveFullAt = fullAt;
  leave(page);
}

/** Call it when the page is hidden, and again when it is unloaded. */
export function leaveHidden(page: Page): void {
  page.leavesUntil = page.time.mono() + LAST_CALLS_MS;
  leaveWithin(page);
}

/**
 * Call it with each call of the page. It makes the page ready to unload after the task, if that matters.
 * It matters when the page has just been hidden: the page's own listeners come after ours, and their
 * calls are its last. It matters when the page has closed its own window: if its thread is busy and the browser
 * quits, it never learns that it is hidden. It matters until the database has answered, and while calls wait for
 * their anonymous id: a browser that is killed may take all calls with it.
 */
export function called(page: Page): void {
  if (page.isTaskOpen) return;
  page.isTaskOpen = true;
  queueMicrotask(() => {
    page.isTaskOpen = false;
    if (page.time.mono() < page.leavesUntil || page.isClosed()) leaveWithin(page);
    else if (page.isActive && (page.awaitsId || !page.isConfirmed)) keep(page);
  });
}
