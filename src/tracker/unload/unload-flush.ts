import { MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import { takeToken } from '../../pacing/allowance.ts';
import { fitting } from '../delivery/batch-limits.ts';
import { MAX_KEEPALIVE_BYTES, relayRequest, sendBatch } from '../delivery/relay-client.ts';
import { pausedForMs } from '../delivery/send-rate.ts';
import { relayNow } from '../page/clock.ts';
import type { Page } from '../page/page.ts';
import { pendingCalls, pendingRecords } from '../page/pending-records.ts';
import { clearSpill, spilledCalls, writeSpill } from '../page/spill.ts';
import { allUnsettled } from '../page/unsettled.ts';
import { isFresh, isIn } from '../page/visitor-state.ts';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import type { Call, Entry } from '../record/call.ts';

// A page is kept ready to be left at any moment, with no look into the database and no lock, which would not answer in time.

// A page that tracks all the time must not pay for it each time.
const REARM_AFTER_MS = 200;

/** The calls that the database does not hold: those on their way, and all of them where there is none. */
function unsaved(page: Page): readonly Call[] {
  if (!isIn(page)) return [];
  return [...spilledCalls(page), ...(page.isDegraded ? allUnsettled(page) : []), ...pendingCalls(page)];
}

/**
 * The first of the unsettled records that may leave: none in the buffer stands before one of these that is not among them.
 *
 * @param all those too that may overtake others, where nothing else keeps them
 */
function sendable(page: Page, all: boolean): readonly Entry[] {
  const { pause, tokens, isWhole, setAside } = page;
  // That the network was gone is no reason not to try.
  const isPaused = pause?.reason !== 'network' && pausedForMs(pause, relayNow(page), !!tokens);
  // What comes later would overtake what could not be delivered.
  if (isPaused || page.hasFailed || !page.isConfirmed || !isIn(page)) return [];
  const known = allUnsettled(page).filter(({ key }) => all || isWhole || key <= page.reach);
  const calls = (all || isWhole) && isFresh(page) ? pendingRecords(page) : [];
  const entries = [...known, ...calls].filter(({ id }) => !setAside.has(id));
  return (tokens?.together(entries, true) ?? entries).slice(0, MAX_REQUEST_RECORDS);
}

/** What to send in one request that outlives the page; nothing where all of it is under way. */
function unloadBatch(page: Page, all: boolean): readonly Entry[] {
  const { underWay, sentOnUnload } = page;
  const batch = sendable(page, all);
  const gone = new Set<string>();
  let bytes = MAX_KEEPALIVE_BYTES;
  for (const other of [...underWay, ...sentOnUnload.keys()]) {
    // One budget for all requests that outlive the page.
    if (underWay.has(other)) [, bytes] = fitting(other, bytes);
    for (const { id } of other) gone.add(id);
  }
  // What is under way goes once more, where it fits: a request that does not hold it could overtake it.
  return batch.every(({ id }) => gone.has(id)) ? [] : fitting(batch, bytes)[0];
}

/**
 * Leaves a batch with the browser, in place of the one before, which sends it once the page is gone: also when it crashes.
 * No answer is ever read: the records stay in the buffer, and the relay recognizes them when they come again.
 */
function arm(page: Page): void {
  page.isArmedSoon = false;
  page.armed?.abort();
  const armed = new AbortController();
  page.armed = armed;
  const batch = page.fetchLater ? unloadBatch(page, false) : [];
  if (batch.length === 0) return;
  // The site's own may have used up the quota, or its policy forbids it: the records are in the buffer all the same.
  tryOrUndefined(() => {
    const [url, init] = relayRequest(page, batch, false);
    page.fetchLater?.(url, { ...init, signal: armed.signal });
  });
}

/** To be called when other records are unsettled than before, or when others of them are under way. */
export function rearm(page: Page): void {
  if (unsaved(page).length === 0) clearSpill(page);
  if (page.isArmedSoon) return;
  page.isArmedSoon = true;
  page.time.timer(() => arm(page), REARM_AFTER_MS);
}

/** Writes down what the database can't take yet. False where that can't be kept. */
export function keep(page: Page): boolean {
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
    const answer = sendBatch(page, batch, true);
    page.sentOnUnload.set(batch, answer);
    void answer.then(({ reason }) => {
      page.hasFailed ||= !!reason;
    });
  }
  arm(page);
  // Sent or not: of a page that is gone nobody learns what became of it.
  if (batch.length > 0 || unsaved(page).length > 0) page.askSync?.();
}

/**
 * Leaves a hidden page, within an allowance: it stays hidden for as long as the visitor has another tab in front.
 */
export function leaveHidden(page: Page): void {
  page.isHidden = true;
  const { fullAt, inMs } = takeToken(page.leaveFullAt, page.settings, page.time.mono());
  if (inMs > 0) return void keep(page);
  page.leaveFullAt = fullAt;
  leave(page);
}

/**
 * To be called with each call of the page. Has it ready to be left after the task, where that matters: while it is hidden,
 * for its own listeners come after ours and their calls are its last; and until the database has answered, for a browser
 * that is killed may take all calls along.
 */
export function called(page: Page): void {
  if (page.isTaskOpen) return;
  page.isTaskOpen = true;
  queueMicrotask(() => {
    page.isTaskOpen = false;
    if (page.isHidden) leaveHidden(page);
    else if (page.isActive && !page.isConfirmed) keep(page);
  });
}
