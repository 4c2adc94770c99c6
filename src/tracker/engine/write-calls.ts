import { drop, dropped } from '../delivery/settle.ts';
import { learnOffset } from '../page/clock.ts';
import type { Page } from '../page/page.ts';
import { makeRecords } from '../page/pending-records.ts';
import { readSpills } from '../page/spill.ts';
import { stored } from '../page/unsettled.ts';
import { confirmVisitor, forget, knownVisitor, mark, mustForget } from '../page/visitor-state.ts';
import type { Call } from '../record/call.ts';
import { isOut } from '../record/visitor.ts';
import { type Appended, COUNTS } from '../store/record-store.ts';
import { statsOf } from '../store/stats.ts';
import { rearm } from '../unload/unload-flush.ts';
import { scheduleFlush } from './flush-schedule.ts';

/** Seals a group: no more calls join it. */
function close(page: Page, calls: readonly Call[]): void {
  if (page.gathered === calls) page.gathered = undefined;
  page.writing = calls;
}

/** Appends calls as records of the visitor in the database, after those that earlier pages left. */
async function append(page: Page, calls: readonly Call[]): Promise<void> {
  page.spilled ??= readSpills(page);
  const { chosen, spilled } = page;
  const appended = await page.records.append((kept) => {
    const known = knownVisitor(page, kept);
    if (page.learntLead === undefined && known.clockOffset !== undefined)
      learnOffset(page, known.clockOffset);
    close(page, calls);
    const made = makeRecords(page, known, [...spilled, ...calls]);
    return { ...made, clears: made.visitor.choices !== kept.choices };
  });
  // Without a gap: a page that unloads now must know the calls as either pending or stored.
  page.writing = [];
  // Another tab may wait for an id. Its calls, a sign-out among them, come before those that follow here.
  page.spilled = page.awaitsId === undefined ? [] : undefined;
  if (page.chosen === chosen) page.chosen = undefined;
  confirmVisitor(page, appended.visitor);
  finish(page, [...spilled, ...calls], appended);
}

/** Updates the page after an append, and does what follows from it. */
function finish(page: Page, calls: readonly Call[], { visitor, entries, cleared, waiting }: Appended): void {
  const { settings } = page;
  if (isOut(visitor)) {
    forget(page);
    // If the database was out of reach, the next page has to delete what is in it.
    if (page.isDegraded) mustForget(page);
    // The mark may have had no room before.
    mark(page, page.choices);
  }
  const late = calls.filter(
    ({ choices }) => isOut(visitor) || (choices ?? visitor.choices) < visitor.choices,
  );
  dropped(page, [...cleared, ...late]);
  stored(page, entries, waiting);
  // `on` has no event for it.
  if (settings.debug === 'data') console.log('webengage-relay', 'stored', entries);
  // An unload can't wait for a token, so it is asked for now.
  page.tokens?.token(entries.slice(-1));
  rearm(page);
  if (waiting > settings.maxRecords) void page.exclusive(() => dropOldest(page));
  if (entries.length > 0) scheduleFlush(page, Math.max(1, waiting - page.skippedCount));
}

async function dropOldest(page: Page): Promise<void> {
  const { records, settings } = page;
  const over = statsOf(await records.get(COUNTS)).buffered - settings.maxRecords;
  if (over > 0) await drop(page, await records.peek(over), 'over_max_records');
}

/**
 * Resolves once a call is durable. Without a call, the stored state is read all the same.
 * Calls are written in groups, so a page that tracks all the time needs few transactions. A group holds the
 * calls of one task, and its transaction begins in that task. While a transaction is in flight, the next
 * group collects the calls made meanwhile.
 */
export function write(page: Page, call?: Call): Promise<void> {
  page.gathered ??= gather(page);
  if (call) page.gathered.push(call);
  return page.written;
}

function gather(page: Page): Call[] {
  const calls: Call[] = [];
  // Behind the current write: the calls made meanwhile share one transaction and keep their order.
  page.written = page.drained.then(() => append(page, calls));
  // If a group fails, the promises of its callers reject. The groups after it go on.
  page.drained = page.written.catch(() => {
    close(page, calls);
    page.writing = [];
  });
  return calls;
}
