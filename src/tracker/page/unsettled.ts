import { values } from '../record/built-ins.ts';
import type { Entry, StoredEntry } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';
import type { Page } from './page.ts';

/** Adds records that were appended. `waiting`: how many records the buffer then held. */
export function stored(page: Page, entries: readonly StoredEntry[], waiting: number): void {
  for (const entry of entries) page.unsettled[entry.id] = entry;
  const [first] = entries;
  // Keys grow by one with each row. A gap means that another tab has appended in between.
  page.isWhole = waiting === entries.length || (page.isWhole && (!first || first.key === page.reach + 1));
  if (page.isWhole) page.reach = entries[entries.length - 1]?.key ?? page.reach;
}

/** Replaces the known head of the buffer by what was read. `isWhole`: nothing comes after these. */
export function resync(page: Page, oldest: readonly StoredEntry[], isWhole: boolean): void {
  const last = oldest[oldest.length - 1]?.key ?? (isWhole ? page.reach : 0);
  // If a record before that row was not found, another tab has settled it. The last row may hold more.
  const later = isWhole ? [] : allUnsettled(page).filter(({ key }) => key >= last);
  // Records after the last one that was read are still known.
  if (isWhole || !page.isWhole || last > page.reach) page.reach = last;
  page.isWhole ||= isWhole;
  page.unsettled = bare({});
  for (const entry of [...oldest, ...later]) page.unsettled[entry.id] = entry;
}

/** The records of a batch that are in the buffer and still unsettled. */
export function among({ unsettled }: Page, batch: readonly Entry[]): readonly StoredEntry[] {
  return batch.flatMap(({ id }) => unsettled[id] ?? []);
}

export function allUnsettled({ unsettled }: Page): readonly StoredEntry[] {
  return values(unsettled);
}

/** Whether a record was refused alone, and is skipped for now. */
export function isSetAside({ setAside }: Page, { id }: Entry): boolean {
  return setAside.some((entry) => entry.id === id);
}
