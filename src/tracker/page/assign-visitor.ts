import { keys } from '../record/built-ins.ts';
import type { Call, Entry } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';
import { isOut, NO_VISITOR, type Visitor } from '../record/visitor.ts';

/** What a page adds to the stored visitor. */
export type PageState = {
  /** How often the visitor has opted out or in. Never less than the stored visitor says. */
  readonly choices: number;
  /**
   * Random ids for a new browser, or for a visitor who has opted in again. The same ids each time for
   * the same `choices`.
   */
  readonly fresh: (choices: number) => Pick<Visitor, 'choices' | 'device' | 'anonymousId'>;
  readonly skipRepeatedIdentify: boolean;
  /** When a call was made, by the relay's clock. */
  readonly madeAt: (call: Call) => number;
};

export type Assigned = {
  readonly entries: readonly Entry[];
  /** The visitor after these calls. */
  readonly visitor: Visitor;
};

// Page loads whose last call is remembered. A call arrives twice if its page spilled it during unload
// and then came back.
const MAX_SESSIONS = 20;

// `identify` is meant for a dozen fields. A page that generates names must not fill the database.
const MAX_REPORTED = 100;

/** The visitor of this page: the stored one, or a new one, for a new browser or after a choice made here. */
function currentVisitor(kept: Visitor, page: PageState): Visitor {
  const { choices } = page;
  if (kept.choices === choices && (kept.device || isOut(kept))) return kept;
  // Of a visitor who has opted out, only the opt-out is kept.
  const { applied, changes } = kept;
  return isOut({ choices })
    ? bare({ ...NO_VISITOR, choices, changes: changes + 1 })
    : bare({ ...page.fresh(choices), changes: changes + 1, applied });
}

/**
 * Makes records from calls, in the order they were made.
 * Each record belongs to the visitor that the calls before it left. A call that was applied before is
 * skipped. While the visitor is opted out, no call makes a record.
 */
export function assignVisitor(kept: Visitor, calls: readonly Call[], page: PageState): Assigned {
  let visitor = currentVisitor(kept, page);
  let { reported } = visitor;
  const applied: { [pageLoad: string]: number } = bare({ ...visitor.applied });
  const entries: Entry[] = [];
  for (const call of isOut(visitor) ? [] : calls) {
    const { id, kind, fields, userId, anonymousId = visitor.anonymousId, at, device } = call;
    const [session = '', seq] = id.split('.');
    if (Number(seq) <= (applied[session] ?? 0)) continue;
    // At the end: the page loads that called last are remembered.
    delete applied[session];
    applied[session] = Number(seq);
    // Made before the visitor opted out and in again.
    if ((call.choices ?? visitor.choices) < visitor.choices) continue;
    // A page may have sent it already. From another device the relay would take it for a new record.
    const isForeign = device && device !== visitor.device;
    // Already a record, made by a page without a database. It keeps its visitor.
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
      const after: { [field: string]: string } = bare({ ...reported });
      // A call that was spilled during unload has no fields. Then nothing that was reported
      // before is certain.
      let isNew = !fields || (!reported && !!userId);
      for (const [name, json] of fields ?? []) {
        isNew ||= after[name] !== json;
        after[name] = json;
      }
      if (!isNew && page.skipRepeatedIdentify) continue;
      reported = fields && keys(after).length <= MAX_REPORTED ? after : undefined;
    }
    const { userId: owner } = visitor;
    const whose = { userId: owner, anonymousId: owner ? undefined : visitor.anonymousId };
    entries.push(bare({ ...call, ...whose, fields: undefined, at: page.madeAt(call) }));
  }
  for (const session of keys(applied).slice(0, -MAX_SESSIONS)) delete applied[session];
  return { entries, visitor: bare({ ...visitor, reported, applied }) };
}
