import type { Entry, StoredEntry } from '../record/call.ts';
import type { Page } from './page.ts';

/** Takes records that were appended, and how many the buffer then held. */
export function stored(page: Page, entries: readonly StoredEntry[], waiting: number): void {
  for (const entry of entries) page.unsettled.set(entry.id, entry);
  page.isWhole = waiting <= page.unsettled.size;
}

/** Takes what the buffer begins with. `isWhole`: nothing comes after these. */
export function resync(page: Page, oldest: readonly StoredEntry[], isWhole: boolean): void {
  page.isWhole ||= isWhole;
  page.reach = oldest[oldest.length - 1]?.key ?? 0;
  // Of those up to there that were not found, another tab has settled all; the last row may go on.
  const later = isWhole ? [] : allUnsettled(page).filter(({ key }) => key >= page.reach);
  page.unsettled = new Map([...oldest, ...later].map((entry) => [entry.id, entry]));
}

/** Those of a batch that are in the buffer and still unsettled. */
export function among({ unsettled }: Page, batch: readonly Entry[]): readonly StoredEntry[] {
  return batch.flatMap(({ id }) => unsettled.get(id) ?? []);
}

export function allUnsettled({ unsettled }: Page): readonly StoredEntry[] {
  return [...unsettled.values()];
}
