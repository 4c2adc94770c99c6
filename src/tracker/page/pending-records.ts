import type { Call, Entry } from '../record/call.ts';
import { randomUuid } from '../record/random-id.ts';
import { isOut, type Visitor } from '../record/visitor.ts';
import { type Assigned, assignVisitor } from './assign-visitor.ts';
import { madeAt } from './clock.ts';
import type { Page } from './page.ts';
import { spilledCalls } from './spill.ts';
import { choices } from './visitor-state.ts';

/** The calls of this page that are not durable yet, oldest first. */
export function pendingCalls({ writing, gathered = [] }: Page): readonly Call[] {
  return [...writing, ...gathered];
}

/** Makes records of calls, each of the visitor who is known at that moment. */
export function makeRecords(page: Page, known: Visitor, calls: readonly Call[]): Assigned {
  const { chance, settings, bringsBack } = page;
  return assignVisitor(known, calls, {
    skipRepeatedIdentify: settings.skipRepeatedIdentify,
    choices: Math.max(choices(page), bringsBack && isOut(known) ? known.choices + 1 : 0),
    fresh: () => ({ device: randomUuid(chance.bytes), anonymousId: randomUuid(chance.bytes) }),
    madeAt: (call) => madeAt(page, call),
  });
}

/** The records that the pending calls would become now, for a page that is being left: those of earlier pages first. */
export function pendingRecords(page: Page): readonly Entry[] {
  return makeRecords(page, page.visitor, [...spilledCalls(page), ...pendingCalls(page)]).entries;
}
