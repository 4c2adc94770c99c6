import type { Call } from '../record/call.ts';
import { writeDate } from '../record/write-date.ts';
import type { Page } from './page.ts';

// The relay's time, as well as the page knows it. It follows a clock that does not jump during a page load,
// and each response of the relay corrects it. Before the first response ever, it is the visitor's own clock
// as of the page load.

// Clocks that are synchronized over the network are slewed by less.
const SET_BACK_MS = 1_000;

/**
 * How far the visitor's clock is ahead of the monotonic one. It changes if the visitor's clock is set or
 * the machine sleeps.
 */
export function leadNow({ time }: Pick<Page, 'time'>): number {
  return time.wall() - time.mono();
}

/** The relay's time, as well as the page knows it. */
export function relayNow({ time, relayLead }: Page): number {
  return time.mono() + relayLead;
}

/** The visitor's clock minus the relay's, by the last responses. Undefined if no response has set it yet. */
export function clockOffset(page: Page): number | undefined {
  const { learntLead, relayLead } = page;
  if (learntLead === undefined) return undefined;
  const lead = leadNow(page);
  // A clock that gained less than the elapsed time was set back since. One that gained more may have been set
  // forward, or the machine has slept: the relay tells the two apart.
  return Math.round((lead < learntLead - SET_BACK_MS ? lead : learntLead) - relayLead);
}

/** Whether a call was made in this page load. */
function isOurs({ session }: Page, { id }: Call): boolean {
  return id.startsWith(session);
}

/** When a call was made, by the relay's clock. */
export function madeAt(page: Page, { at, wall }: Call): number {
  return at ?? wall - (clockOffset(page) ?? 0);
}

/** When a call was made, by the page's monotonic clock. Within its page load, that clock alone decides. */
export function madeAtMono(page: Page, call: Call): number {
  return isOurs(page, call) ? call.mono : madeAt(page, call) - page.relayLead;
}

/** How long ago a call was made. */
export function ageOf(page: Page, call: Call): number {
  return page.time.mono() - madeAtMono(page, call);
}

/** The same in whole milliseconds. Undefined if it may rest on nothing but an old offset. */
export function knownAge(page: Page, call: Call): number | undefined {
  return isOurs(page, call) || page.isClockConfirmed ? Math.max(0, Math.round(ageOf(page, call))) : undefined;
}

/** When a call was made by the visitor's clock, as it is now, in WebEngage's format. */
export function eventTime(page: Page, call: Call): string | undefined {
  return writeDate(isOurs(page, call) ? call.wall : madeAt(page, call) + (clockOffset(page) ?? 0));
}

/** Stores a new offset: the visitor's clock minus the relay's. */
export function learnOffset(page: Page, offset: number): void {
  page.learntLead = leadNow(page);
  page.relayLead = page.learntLead - offset;
}
