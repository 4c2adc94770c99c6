import { type Call, type Entry, splitId } from '../record/call.ts';
import { isOut, NO_VISITOR, type Reported, type Visitor } from '../record/visitor.ts';

/** What a page brings to the visitor that is kept. */
export type PageState = {
  /** How often the visitor has opted out or in, as far as this page knows. */
  readonly choices: number;
  /** Random ids, for a browser that has none, or whose visitor has opted in again: each time the same for so many choices. */
  readonly fresh: (choices: number) => Pick<Visitor, 'device' | 'anonymousId'>;
  readonly skipRepeatedIdentify: boolean;
  /** When a call was made, by the relay's clock. */
  readonly madeAt: (call: Call) => number;
};

export type Assigned = {
  readonly entries: readonly Entry[];
  /** The visitor after these calls. */
  readonly visitor: Visitor;
  readonly reported: Reported;
  /** The visitor has opted out, or in again: nothing of what was kept before is theirs. */
  readonly clears: boolean;
};

// Page loads whose last call is remembered. A call arrives twice where a page wrote it down as it was left, and came back.
const MAX_SESSIONS = 20;

// `identify` is meant for a dozen fields; a page that makes names up as it goes must not fill the database.
const MAX_REPORTED = 100;

/** The visitor that holds for this page: the kept one, or a new one for a new browser or after a choice made here. */
function currentVisitor(kept: Visitor, { choices, fresh }: PageState): Visitor {
  if (kept.choices >= choices && (kept.device || isOut(kept))) return kept;
  const latest = {
    ...kept,
    choices: Math.max(kept.choices, choices),
    changes: kept.changes + 1,
    userId: undefined,
  };
  // Of a visitor who is out nothing is kept but that.
  return isOut(latest)
    ? { ...NO_VISITOR, choices: latest.choices, changes: latest.changes }
    : { ...latest, ...fresh(latest.choices) };
}

/**
 * Makes records of calls, in the order they were made: each belongs to the visitor that the calls before it left. A call
 * that was applied before counts no more. While the visitor is out, no call makes a record.
 */
export function assignVisitor(
  kept: Visitor,
  reportedBefore: Reported,
  calls: readonly Call[],
  page: PageState,
): Assigned {
  let visitor = currentVisitor(kept, page);
  let reported = visitor.device === kept.device ? reportedBefore : [];
  const entries: Entry[] = [];
  const clears = visitor.choices !== kept.choices;
  if (isOut(visitor)) return { entries, visitor, reported, clears };

  const applied = new Map(visitor.applied);
  for (const call of calls) {
    const [session, seq] = splitId(call.id);
    if ((applied.get(session) ?? 0) >= seq) continue;
    applied.delete(session);
    applied.set(session, seq);
    // Called before the visitor opted out and in again.
    if (call.choices !== undefined && call.choices < visitor.choices) continue;
    // A page may have sent it already: under another device it would arrive twice.
    const isForeign = call.device !== undefined && call.device !== visitor.device;
    // A record since a page without a database, whose it stays.
    if (call.at !== undefined) {
      if (!isForeign) entries.push({ ...call, at: call.at });
      continue;
    }

    const next = visitorAfter(visitor, call);
    if (next !== visitor) reported = [];
    visitor = next;
    if (call.kind === 'reset' || isForeign) continue;
    if (call.kind === 'user') {
      const after = reportedAfter(reported, call);
      if (after === reported && page.skipRepeatedIdentify) continue;
      reported = after;
    }
    const { userId, anonymousId } = visitor;
    entries.push({
      ...call,
      at: page.madeAt(call),
      ...(userId ? { userId } : { anonymousId }),
    });
  }
  // Untouched where nothing was applied: then there is nothing to write.
  if (calls.length === 0) return { entries, visitor, reported, clears };
  return { entries, visitor: { ...visitor, applied: [...applied].slice(-MAX_SESSIONS) }, reported, clears };
}

function visitorAfter(visitor: Visitor, { kind, userId, anonymousId }: Call): Visitor {
  const { changes } = visitor;
  if (kind === 'reset' && anonymousId)
    return { ...visitor, userId: undefined, anonymousId, changes: changes + 1 };
  if (kind === 'user' && userId && userId !== visitor.userId)
    return { ...visitor, userId, changes: changes + 1 };
  return visitor;
}

/** The same list where the call repeats what was reported. */
function reportedAfter(reported: Reported, { fields }: Call): Reported {
  // Written down by a page that was left, without its fields: nothing that was reported before is sure to hold.
  if (!fields) return [];
  const after = new Map(reported);
  let isNew = false;
  for (const [name, json] of fields) {
    isNew ||= after.get(name) !== json;
    after.set(name, json);
  }
  return isNew ? [...after].slice(-MAX_REPORTED) : reported;
}
