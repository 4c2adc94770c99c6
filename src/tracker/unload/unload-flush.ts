import { MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import { takeToken } from '../../pacing/allowance.ts';
import { fitting } from '../delivery/batch-limits.ts';
import { MAX_KEEPALIVE_BYTES, relayRequest, sendBatch } from '../delivery/relay-client.ts';
import { pausedForMs } from '../delivery/send-rate.ts';
import { relayNow } from '../page/clock.ts';
import type { ById, Page, UnloadRequest } from '../page/page.ts';
import { pendingCalls, pendingRecords } from '../page/pending-records.ts';
import { clearSpill, writeSpill } from '../page/spill.ts';
import { allUnsettled, isSetAside } from '../page/unsettled.ts';
import { isCurrent, isFresh, isIn } from '../page/visitor-state.ts';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import type { Call, Entry } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';

// A page is kept ready to be left at any moment, with no look into the database and no lock, which would not answer in time.

// A page that tracks all the time must not pay for it each time.
const REARM_AFTER_MS = 200;

// So long after a page is hidden its calls may be its last. A page that goes on in the background takes its turn with the others.
const LAST_CALLS_MS = 1_000;

/** The calls that the database does not hold: those on their way, and all of them where there is none. */
function unsaved(page: Page): readonly Call[] {
  if (!isIn(page)) return [];
  const { spilled = [], isDegraded } = page;
  return [...spilled, ...(isDegraded ? allUnsettled(page) : []), ...pendingCalls(page)];
}

/**
 * The first of the unsettled records that may leave: none in the buffer stands before one of these that is not among them.
 *
 * @param all those too that may overtake others, where nothing else keeps them
 */
function sendable(page: Page, all: boolean): readonly Entry[] {
  const { pause, tokens, isWhole, sentOnUnload } = page;
  // That the network was gone is no reason not to try.
  const isPaused = pause?.reason !== 'network' && pausedForMs(pause, relayNow(page), !!tokens);
  // What comes later would overtake what could not be delivered.
  const hasFailed = sentOnUnload.some(({ outcome }) => outcome?.reason);
  if (isPaused || hasFailed || !isIn(page)) return [];
  // Nor what was made before a choice that this page has not read yet.
  if (!isCurrent(page)) return [];
  const known = allUnsettled(page).filter(({ key }) => all || key <= page.reach);
  // Without a database what is written down may become records of another device: it must not have been sent.
  const calls = (all || (isWhole && !page.isDegraded)) && isFresh(page) ? pendingRecords(page) : [];
  const entries = [...known, ...calls].filter((entry) => !isSetAside(page, entry));
  return (tokens?.together(entries, true) ?? entries).slice(0, MAX_REQUEST_RECORDS);
}

/** What to send in one request that outlives the page; nothing where all of it was sent so already. */
function unloadBatch(page: Page, all: boolean): readonly Entry[] {
  const batch = sendable(page, all);
  const gone: ById<true> = bare({});
  let bytes = MAX_KEEPALIVE_BYTES;
  for (const request of page.sentOnUnload) {
    // All requests that are under way share one budget.
    if (!request.outcome) [, bytes] = fitting(request.batch, bytes);
    for (const { id } of request.batch) gone[id] = true;
  }
  // What is under way goes once more, where it fits: a request that does not hold it could overtake it.
  return batch.every(({ id }) => gone[id]) ? [] : fitting(batch, bytes)[0];
}

/**
 * Leaves a batch with the browser, in place of the one before, which sends it once the page is gone: also when it crashes.
 * No answer is ever read: the records stay in the buffer, and the relay recognizes them when they come again.
 */
function arm(page: Page): void {
  page.armed?.abort();
  const armed = new AbortController();
  page.armed = armed;
  const batch = page.fetchLater ? unloadBatch(page, false) : [];
  if (batch.length === 0) return;
  // The site's own may have used up the quota, or its policy forbids it: the records are in the buffer all the same.
  tryOrUndefined(() => {
    const [url, init] = relayRequest(page, batch, false);
    page.fetchLater?.(url, bare({ ...init, signal: armed.signal }));
  });
}

/** To be called when other records are unsettled than before, or when others of them are under way. */
export function rearm(page: Page): void {
  if (unsaved(page).length === 0) clearSpill(page);
  if (!page.fetchLater) return;
  page.hasChanged = !!page.isResting;
  if (page.isResting) return;
  page.isResting = true;
  arm(page);
  page.time.timer(() => {
    page.isResting = false;
    if (page.hasChanged) rearm(page);
  }, REARM_AFTER_MS);
}

/** Writes down what the database can't take yet. False where that can't be kept. */
function keep(page: Page): boolean {
  const calls = unsaved(page);
  return calls.length === 0 || writeSpill(page, calls);
}

/**
 * To be called when the page may be gone in a moment: what the database does not hold is written down, and all that fits is
 * sent, oldest first, in one request that outlives the page: of several one could overtake the other. The next page sends
 * what is left, which then comes after.
 */
export function leave(page: Page): void {
  // As WebKit has it for a window that closes itself, there may be no storage any more.
  const batch = unloadBatch(page, !keep(page));
  if (batch.length > 0) {
    const request: UnloadRequest = bare({ batch, answer: sendBatch(page, batch, true) });
    page.sentOnUnload = [...page.sentOnUnload, request];
    void request.answer.then((outcome) => {
      request.outcome = outcome;
    });
  }
  arm(page);
  // Sent or not: of a page that is gone nobody learns what became of it.
  if (batch.length > 0 || unsaved(page).length > 0) page.askSync?.();
}

/** Leaves a page that has just been hidden, within an allowance: a visitor may go to and fro between tabs. */
function leaveWithin(page: Page): void {
  const { fullAt, inMs } = takeToken(page.leaveFullAt, page.settings, page.time.mono());
  if (inMs > 0) return void keep(page);
  page.leaveFullAt = fullAt;
  leave(page);
}

/** To be called when the page is hidden, and again when it goes away. */
export function leaveHidden(page: Page): void {
  page.leavesUntil = page.time.mono() + LAST_CALLS_MS;
  leaveWithin(page);
}

/**
 * To be called with each call of the page. Has it ready to be left after the task, where that matters: as it is hidden, for
 * its own listeners come after ours and their calls are its last; and until the database has answered, for a browser that
 * is killed may take all calls along.
 */
export function called(page: Page): void {
  if (page.isTaskOpen) return;
  page.isTaskOpen = true;
  queueMicrotask(() => {
    page.isTaskOpen = false;
    if (page.time.mono() < page.leavesUntil) leaveWithin(page);
    else if (page.isActive && !page.isConfirmed) keep(page);
  });
}
