import type { Issue, TrackerEvents } from '../tracker/index.ts';
import { countOf, dropMessage, retryMessage, retryTime, ruleMessage } from './messages.ts';

/** An event of a tracker: its name, and the payload that `on` passes to a listener. */
export type TrackerEvent = {
  [Name in keyof TrackerEvents]: { readonly name: Name; readonly payload: TrackerEvents[Name] };
}[keyof TrackerEvents];

/** A line of a list. Equal lines are merged into the last one, with a count. */
type Line<Fresh> = Fresh & { readonly at: number; readonly times: number };

type FreshBatch = {
  readonly key: string;
  readonly end: 'delivered' | 'rejected' | 'retrying';
  readonly detail: string;
};

/** How a batch ended, or that it is being retried. */
export type BatchEnd = Line<FreshBatch>;

type FreshTrouble = {
  readonly key: string;
  readonly kind: keyof TrackerEvents;
  /** The record's name and id, as far as they are known, or the number of records. */
  readonly about: string;
  /** Field and rule. The field is empty for the record as a whole. */
  readonly issues: readonly Issue[];
};

/** A problem that the site's developers may want to fix. */
export type Trouble = Line<FreshTrouble>;

type FreshDrift = {
  readonly key: string;
  /** The event's name, or `identify`. */
  readonly record: string;
  readonly path: string;
  readonly rule: string;
};

/** An attribute whose values have several types. WebEngage keeps the first type, and silently drops the others. */
export type Drift = Line<FreshDrift>;

/** A tracker's events since the inspector began to listen: the newest first, and a few lines of each kind. */
export type Journal = {
  readonly batches: readonly BatchEnd[];
  readonly troubles: readonly Trouble[];
  readonly drifts: readonly Drift[];
  /** The number of events. */
  readonly events: number;
  /** How many of them belong in `troubles` or `drifts`, which may no longer list them. */
  readonly errors: number;
  /** Why records no longer outlive the page, if they don't. */
  readonly degraded: string | undefined;
};

export const EMPTY_JOURNAL: Journal = {
  batches: [],
  troubles: [],
  drifts: [],
  events: 0,
  errors: 0,
  degraded: undefined,
};

const MAX_LINES = 20;

/** The name of the record with an id, if it has been seen. */
export type NameOf = (id: string) => string | undefined;

/** An event, and when it was reported. */
export type TimedEvent = { readonly event: TrackerEvent; readonly at: number };

/** The journal with one more event. */
export function addEvent(journal: Journal, { event, at }: TimedEvent, nameOf: NameOf): Journal {
  const { batches, troubles, drifts, events: before, errors, degraded } = journal;
  const trouble = troubleOf(event, nameOf);
  const drift = driftOf(event, nameOf);
  return {
    batches: withLine(batches, batchOf(event, before), at),
    troubles: withLine(troubles, trouble, at),
    drifts: withLine(drifts, drift, at),
    events: before + 1,
    errors: errors + (trouble || drift ? 1 : 0),
    degraded: event.name === 'degraded' ? event.payload.reason : degraded,
  };
}

/** The lines with one more on top, which replaces one of the same key. */
function withLine<Fresh extends { readonly key: string }>(
  lines: readonly Line<Fresh>[],
  fresh: Fresh | undefined,
  at: number,
): readonly Line<Fresh>[] {
  if (fresh === undefined) return lines;
  const alike = lines.find(({ key }) => key === fresh.key);
  const line = { ...fresh, at, times: (alike?.times ?? 0) + 1 };
  return [line, ...lines.filter((each) => each !== alike)].slice(0, MAX_LINES);
}

function batchOf({ name, payload }: TrackerEvent, before: number): FreshBatch | undefined {
  switch (name) {
    case 'delivered': {
      const { ids, duplicates } = payload;
      const had = duplicates > 0 ? `, ${duplicates} of them duplicates` : '';
      // Each batch has a line of its own.
      return { key: String(before), end: name, detail: countOf(ids.length, 'record') + had };
    }
    case 'rejected':
      return { key: name, end: name, detail: 'a record' };
    case 'retrying':
      return {
        key: name + payload.reason,
        end: name,
        detail: `${payload.reason}, ${retryTime(payload.inMs)}`,
      };
    default:
      return undefined;
  }
}

function troubleOf({ name, payload }: TrackerEvent, nameOf: NameOf): FreshTrouble | undefined {
  const trouble = (about: string, issues: readonly Issue[], alike = about) => ({
    // One line for all of the same reason.
    key: toKey(name, alike, ...issues.flatMap(({ path, message }) => [path, message])),
    kind: name,
    about,
    issues,
  });
  const asAWhole = (message: string) => [{ path: '', message }];

  switch (name) {
    case 'rejected': {
      const known = nameOf(payload.id);
      return trouble(known === undefined ? payload.id : `${known} ${payload.id}`, payload.issues, known);
    }
    case 'repaired': {
      const { path, rule, done } = payload;
      return done === 'kept'
        ? undefined
        : trouble(recordOf(payload, nameOf), [{ path, message: ruleMessage(rule, done) }]);
    }
    case 'dropped':
      return trouble(countOf(payload.ids.length, 'record'), asAWhole(dropMessage(payload.reason)));
    case 'retrying':
      return trouble(retryTime(payload.inMs), asAWhole(retryMessage(payload.reason)), '');
    case 'degraded':
      return trouble('IndexedDB', asAWhole(`records are lost with the page: ${payload.reason}`));
    default:
      return undefined;
  }
}

function driftOf({ name, payload }: TrackerEvent, nameOf: NameOf): FreshDrift | undefined {
  if (name !== 'repaired' || payload.done !== 'kept') return undefined;
  const { path, rule } = payload;
  const record = recordOf(payload, nameOf);
  return { key: toKey(record, path, rule), record, path, rule };
}

/** The name of the repaired record. A repair by the relay has only its id. */
function recordOf({ record, id = '' }: TrackerEvents['repaired'], nameOf: NameOf): string {
  return record ?? nameOf(id) ?? id;
}

/** Joins texts into one key. Two lists have the same key only if they are equal. */
function toKey(...texts: readonly string[]): string {
  return texts.map((text) => `${text.length}:${text}`).join('');
}
