import { drop } from '../delivery/settle.ts';
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

/** Tells of calls that the visitor's choice has let go. */
export function dropped(page: Page, calls: readonly Call[]): void {
  const ids = calls.filter(({ kind }) => kind !== 'reset').map(({ id }) => id);
  if (ids.length > 0) page.emit('dropped', { ids, reason: 'opted_out' });
}

/** From now on no call joins these. */
function close(page: Page, calls: readonly Call[]): void {
  if (page.gathered === calls) page.gathered = undefined;
  page.writing = calls;
}

/** Appends calls as records of the visitor whom the database knows, after those that earlier pages left. */
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
  // At once: a page that is left now must know them either as pending or as stored.
  page.spilled = page.writing = [];
  if (page.chosen === chosen) page.chosen = undefined;
  confirmVisitor(page, appended.visitor);
  finish(page, [...spilled, ...calls], appended);
}

/** Does what follows from an append. */
function finish(page: Page, calls: readonly Call[], { visitor, entries, cleared, waiting }: Appended): void {
  const { settings, tokens } = page;
  dropped(page, cleared);
  if (isOut(visitor)) {
    forget(page);
    // What lies in a database that was out of reach the next page has to forget.
    if (page.isDegraded) mustForget(page);
    // It may have had no room before.
    mark(page, page.choices);
  }
  dropped(
    page,
    calls.filter(({ choices }) => isOut(visitor) || (choices ?? visitor.choices) < visitor.choices),
  );
  stored(page, entries, waiting);
  // A page that is left can't wait for a token: it is asked for now.
  tokens?.token(entries.slice(-1));
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
 * Resolves once a call is durable. Calls are gathered, so that they are written together: those of one task, in a
 * transaction that begins in that task, or those made while another is under way. A page that tracks all the time pays for
 * few transactions. Without a call what is kept is looked at all the same.
 */
export function write(page: Page, call?: Call): Promise<void> {
  page.gathered ??= gather(page);
  if (call) page.gathered.push(call);
  return page.written;
}

function gather(page: Page): Call[] {
  const calls: Call[] = [];
  // Behind what is being written: the calls made meanwhile then share one transaction, and keep their order.
  page.written = page.drained.then(() => append(page, calls));
  // A group that fails is told of it, if it has callers; those after it go on.
  page.drained = page.written.catch(() => {
    close(page, calls);
    page.writing = [];
  });
  return calls;
}
