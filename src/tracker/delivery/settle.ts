import type { Rejection } from '../../contract/answer.ts';
import { relayNow } from '../page/clock.ts';
import { type ById, MIN_SET_ASIDE, type Page } from '../page/page.ts';
import type { Call, Entry, StoredEntry } from '../record/call.ts';
import type { Disposition, DropReason, Outcome } from '../record/outcome.ts';
import { bare, ownFields } from '../record/own-fields.ts';
import { rateAfter, readSendRate, SEND_RATE } from './send-rate.ts';

/** The name of a record in a `repaired` event. */
function nameOf({ kind, json }: Entry): string {
  const { eventName } = ownFields<{ eventName: string }>(JSON.parse(`{${json}}`));
  return kind === 'event' && eventName ? eventName : 'identify';
}

const idsOf = (calls: readonly Call[]): readonly string[] => calls.map(({ id }) => id);

async function remove(
  page: Page,
  entries: readonly StoredEntry[],
  endOf: (entry: Entry) => Disposition,
): Promise<void> {
  await page.records.remove(entries, endOf);
  for (const { id } of entries) delete page.unsettled[id];
}

/** Reports calls that were given up. A `reset` would not have become a record. */
export function dropped(page: Page, calls: readonly Call[], reason: DropReason = 'opted_out'): void {
  const ids = idsOf(calls.filter(({ kind }) => kind !== 'reset'));
  if (ids.length > 0) page.emit('dropped', { ids, reason });
}

/**
 * Drops records and reports it.
 * Call it only under the lock: a flush could report the records it has in hand too.
 */
export async function drop(page: Page, entries: readonly StoredEntry[], reason: DropReason): Promise<void> {
  await remove(page, entries, () => reason);
  dropped(page, entries, reason);
}

/** Makes all tabs wait. */
export async function slowDown(page: Page, outcome?: Outcome): Promise<void> {
  await changeRate(page, bare({ reason: 'unexpected_response', ...outcome }));
}

/** Makes all tabs wait after a failure, and frees them after a success. */
async function changeRate(page: Page, outcome: Outcome): Promise<void> {
  const moment = { now: relayNow(page), random: page.chance.random() };
  const { pause } = await page.records.update(SEND_RATE, (kept) =>
    rateAfter(readSendRate(kept), outcome, moment),
  );
  page.pause = pause;
}

async function settle(
  page: Page,
  batch: readonly StoredEntry[],
  { rejected = [], repaired = [], duplicates = 0 }: Outcome,
): Promise<void> {
  // A record got through, so those that were refused alone are at fault.
  const aside = page.setAside;
  page.setAside = [];
  page.maxSetAside = MIN_SET_ASIDE;
  const settled = [...batch, ...aside];
  const refusals: ById<Rejection> = bare({});
  for (const { id, issues } of [...rejected, ...aside]) refusals[id] = { id, issues };
  await remove(page, settled, ({ id }) => (refusals[id] ? 'rejected' : 'delivered'));
  const ids = idsOf(settled.filter(({ id }) => !refusals[id]));
  if (ids.length > 0) page.emit('delivered', { ids, duplicates: Math.min(duplicates, ids.length) });
  // A request sent during unload may hold more records, whose outcome was reported before.
  for (const { id } of settled) if (refusals[id]) page.emit('rejected', refusals[id]);
  for (const entry of batch)
    for (const repair of repaired)
      if (repair.id === entry.id) page.emit('repaired', { ...repair, record: nameOf(entry) });
}

/**
 * Acts on a response: removes and reports what the relay has settled, or makes all tabs wait.
 * Call it only under the lock. `failures`: batches that failed in a row before this one.
 */
export async function conclude(
  page: Page,
  batch: readonly StoredEntry[],
  outcome: Outcome,
  failures: number,
): Promise<void> {
  const { reason } = outcome;
  // If a token is missing, only the records that need it wait.
  if ((!reason || reason === 'token_required') && page.tokens?.answered(batch, !reason) && reason) return;
  if (reason || failures > 0) await changeRate(page, outcome);
  if (!reason) await settle(page, batch, outcome);
}
