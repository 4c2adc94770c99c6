import type { Call, Entry } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';
import { randomUuid } from '../record/random-id.ts';
import type { Visitor } from '../record/visitor.ts';
import { type Assigned, assignVisitor } from './assign-visitor.ts';
import { madeAt } from './clock.ts';
import type { Page } from './page.ts';
import { choicesAfter } from './visitor-state.ts';

/** This page's calls that are not durable yet, oldest first. */
export function pendingCalls({ writing, gathered = [] }: Page): readonly Call[] {
  return [...writing, ...gathered];
}

/** Random ids, the same at each attempt: an attempt that failed may have been written after all. */
function idsFor(page: Page, choices: number): Pick<Visitor, 'choices' | 'device' | 'anonymousId'> {
  const { bytes } = page.chance;
  if (page.ids?.choices !== choices)
    page.ids = { choices, device: randomUuid(bytes), anonymousId: randomUuid(bytes) };
  return page.ids;
}

/** Makes records from calls, each for the visitor who is known at that moment. */
export function makeRecords(page: Page, known: Visitor, calls: readonly Call[]): Assigned {
  const { settings } = page;
  return assignVisitor(known, calls, {
    skipRepeatedIdentify: settings.skipRepeatedIdentify,
    choices: choicesAfter(page, known),
    fresh: (choices) => idsFor(page, choices),
    madeAt: (call) => madeAt(page, call),
  });
}

/** The records that pending calls would become now, for an unload. Those of earlier pages come first. */
export function pendingRecords(page: Page): readonly Entry[] {
  const { visitor, spilled = [] } = page;
  // The reported fields may have changed since: rather too many records than too few.
  return makeRecords(page, bare({ ...visitor, reported: undefined }), [...spilled, ...pendingCalls(page)])
    .entries;
}
