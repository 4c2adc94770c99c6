import { values } from '../record/built-ins.ts';
import type { Entry, StoredEntry } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';
import type { Page } from './page.ts';

/** Takes records that were appended, and how many the buffer then held. */
export function stored(page: Page, entries: readonly StoredEntry[], waiting: number): void {
  for (const entry of entries) page.unsettled[entry.id] = entry;
  const [first] = entries;
  // Keys grow by one with each row: where one is left out, another tab has appended in between.
  page.isWhole = waiting === entries.length || (page.isWhole && (!first || first.key === page.reach + 1));
  if (page.isWhole) page.reach = entries[entries.length - 1]?.key ?? page.reach;
}

/** Takes what the buffer begins with. `isWhole`: nothing comes after these. */
export function resync(page: Page, oldest: readonly StoredEntry[], isWhole: boolean): void {
  const last = oldest[oldest.length - 1]?.key ?? (isWhole ? page.reach : 0);
  // Of those up to there that were not found, another tab has settled all; the last row may go on.
  const later = isWhole ? [] : allUnsettled(page).filter(({ key }) => key >= last);
  // Those after the last that was looked at are known still.
  if (isWhole || !page.isWhole || last > page.reach) page.reach = last;
  page.isWhole ||= isWhole;
  page.unsettled = bare({});
  for (const entry of [...oldest, ...later]) page.unsettled[entry.id] = entry;
}

/** Those of a batch that are in the buffer and still unsettled. */
export function among({ unsettled }: Page, batch: readonly Entry[]): readonly StoredEntry[] {
  return batch.flatMap(({ id }) => unsettled[id] ?? []);
}

export function allUnsettled({ unsettled }: Page): readonly StoredEntry[] {
  return values(unsettled);
}

/** Whether a record was refused by itself, and is passed over for now. */
export function isSetAside({ setAside }: Page, { id }: Entry): boolean {
  return setAside.some((entry) => entry.id === id);
}
