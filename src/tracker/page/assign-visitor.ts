import type { Call, Entry } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';
import { isOut, NO_VISITOR, type Visitor } from '../record/visitor.ts';

/** What a page brings to the visitor that is kept. */
export type PageState = {
  /** How often the visitor has opted out or in, as far as this page knows. */
  readonly choices: number;
  /** Random ids, for a browser that has none, or whose visitor has opted in again: each time the same for so many choices. */
  readonly fresh: (choices: number) => Pick<Visitor, 'choices' | 'device' | 'anonymousId'>;
  readonly skipRepeatedIdentify: boolean;
  /** When a call was made, by the relay's clock. */
  readonly madeAt: (call: Call) => number;
};

export type Assigned = {
  readonly entries: readonly Entry[];
  /** The visitor after these calls. */
  readonly visitor: Visitor;
  /** The visitor has opted out, or in again: nothing of what was kept before is theirs. */
  readonly clears: boolean;
};

// Page loads whose last call is remembered. A call arrives twice where a page wrote it down as it was left, and came back.
const MAX_SESSIONS = 20;

// `identify` is meant for a dozen fields; a page that makes names up as it goes must not fill the database.
const MAX_REPORTED = 100;

/** The visitor that holds for this page: the kept one, or a new one for a new browser or after a choice made here. */
function currentVisitor(kept: Visitor, page: PageState): Visitor {
  if (kept.choices >= page.choices && (kept.device || isOut(kept))) return kept;
  const choices = Math.max(kept.choices, page.choices);
  // Of a visitor who is out nothing is kept but that.
  const { applied, changes } = kept;
  return isOut({ choices })
    ? bare({ ...NO_VISITOR, choices, changes: changes + 1 })
    : bare({ ...page.fresh(choices), changes: changes + 1, applied });
}

/**
 * Makes records of calls, in the order they were made: each belongs to the visitor that the calls before it left. A call
 * that was applied before counts no more. While the visitor is out, no call makes a record.
 */
export function assignVisitor(kept: Visitor, calls: readonly Call[], page: PageState): Assigned {
  let visitor = currentVisitor(kept, page);
  let { reported } = visitor;
  const entries: Entry[] = [];
  let { applied } = visitor;
  for (const call of isOut(visitor) ? [] : calls) {
    const { id, kind, fields, userId, anonymousId = visitor.anonymousId, at, device } = call;
    const [session = '', seq] = id.split('.');
    const others = applied.filter(([pageLoad]) => pageLoad !== session);
    const [, last = 0] = applied.find(([pageLoad]) => pageLoad === session) ?? [];
    if (Number(seq) <= last) continue;
    // To the end: the page loads that called last are remembered.
    applied = [...others, [session, Number(seq)]];
    // Called before the visitor opted out and in again.
    if ((call.choices ?? visitor.choices) < visitor.choices) continue;
    // A page may have sent it already: under another device it would arrive twice.
    const isForeign = device && device !== visitor.device;
    // A record since a page without a database, whose it stays.
    if (at !== undefined) {
      if (!isForeign) entries.push(bare({ ...call, at }));
      continue;
    }

    if (kind === 'reset' || (userId && userId !== visitor.userId)) {
      visitor = bare({ ...visitor, userId, anonymousId, changes: visitor.changes + 1 });
      reported = undefined;
    }
    if (kind === 'reset' || isForeign) continue;
    if (kind === 'user') {
      let after = reported ?? [];
      // Without fields where a page wrote it down as it was left: then nothing that was reported is sure to hold.
      let isNew = !fields || (!reported && !!userId);
      for (const [name, json] of fields ?? []) {
        isNew ||= !after.some(([known, value]) => known === name && value === json);
        after = [...after.filter(([known]) => known !== name), [name, json]];
      }
      if (!isNew && page.skipRepeatedIdentify) continue;
      reported = fields && after.slice(-MAX_REPORTED);
    }
    const { userId: owner } = visitor;
    const whose = { userId: owner, anonymousId: owner ? undefined : visitor.anonymousId };
    entries.push(bare({ ...call, ...whose, fields: undefined, at: page.madeAt(call) }));
  }
  visitor = bare({ ...visitor, reported, applied: applied.slice(-MAX_SESSIONS) });
  return { entries, visitor, clears: visitor.choices !== kept.choices };
}
