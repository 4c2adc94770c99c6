import type { Call, Entry } from '../record/call.ts';
import { isOut, NO_VISITOR, type Visitor } from '../record/visitor.ts';

/** What a page brings to the visitor that is kept. */
export type PageState = {
  /** How often the visitor has opted out or in, as far as this page knows. */
  readonly choices: number;
  /** Random ids, for a browser that has none, or whose visitor has opted in again. */
  readonly fresh: () => Pick<Visitor, 'device' | 'anonymousId'>;
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
  const { applied, changes } = kept;
  return isOut({ choices })
    ? { ...NO_VISITOR, choices, changes: changes + 1 }
    : { ...page.fresh(), choices, changes: changes + 1, applied };
}

/**
 * Makes records of calls, in the order they were made: each belongs to the visitor that the calls before it left. A call
 * that was applied before counts no more. While the visitor is out, no call makes a record.
 */
export function assignVisitor(kept: Visitor, calls: readonly Call[], page: PageState): Assigned {
  let visitor = currentVisitor(kept, page);
  let { reported } = visitor;
  const entries: Entry[] = [];
  const applied = new Map(visitor.applied);
  for (const call of isOut(visitor) ? [] : calls) {
    const { id, kind, fields, userId, anonymousId = visitor.anonymousId } = call;
    const [session = '', seq] = id.split('.');
    if (Number(seq) <= (applied.get(session) ?? 0)) continue;
    // To the end: the page loads that called last are remembered.
    applied.delete(session);
    applied.set(session, Number(seq));
    // Called before the visitor opted out and in again.
    if ((call.choices ?? visitor.choices) < visitor.choices) continue;

    if (kind === 'reset' || (userId && userId !== visitor.userId)) {
      visitor = { ...visitor, userId, anonymousId, changes: visitor.changes + 1 };
      reported = undefined;
    }
    if (kind === 'reset') continue;
    if (kind === 'user') {
      const after = new Map(reported);
      // Without fields where a page wrote it down as it was left: then nothing that was reported is sure to hold.
      let isNew = !reported || !fields;
      for (const [name, json] of fields ?? []) {
        isNew ||= after.get(name) !== json;
        after.set(name, json);
      }
      if (!isNew && page.skipRepeatedIdentify) continue;
      reported = fields && [...after].slice(-MAX_REPORTED);
    }
    entries.push({ ...call, fields: undefined, at: page.madeAt(call), userId: visitor.userId, anonymousId });
  }
  visitor = { ...visitor, reported, applied: [...applied].slice(-MAX_SESSIONS) };
  return { entries, visitor, clears: visitor.choices !== kept.choices };
}
