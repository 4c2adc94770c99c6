import type { Issue } from '../contract/issue.ts';
import type { TrackerEvents } from '../tracker/engine/events.ts';
import { againInWords, dropInWords, retryInWords, some } from './words.ts';

/** One thing that a tracker tells: its name, and what `on` hands to a listener. */
export type Told = {
  [Name in keyof TrackerEvents]: { readonly name: Name; readonly told: TrackerEvents[Name] };
}[keyof TrackerEvents];

/** A line of a list. What is alike stands once, as it was the last time, and says how often it was told. */
type Line = { readonly key: string; readonly at: number; readonly times: number };

/** How a batch ended, or that it has not. */
export type BatchEnd = Line & {
  readonly end: 'delivered' | 'rejected' | 'retrying';
  readonly detail: string;
};

/** Something that is not as the site's makers would want it. */
export type Trouble = Line & {
  readonly kind: keyof TrackerEvents;
  /** A record's name and id, as far as they are known, or how many records. */
  readonly about: string;
  /** Field and rule. The field is empty where it is about no single one. */
  readonly issues: readonly Issue[];
};

/** An attribute whose values are not all of one type: WebEngage takes the first it saw, and drops the others in silence. */
export type Drift = Line & {
  /** The event's name, or `identify`. */
  readonly record: string;
  readonly path: string;
  readonly rule: string;
};

/** What a tracker has told since somebody listens: the newest first, and a few lines of each. */
export type Journal = {
  readonly batches: readonly BatchEnd[];
  readonly troubles: readonly Trouble[];
  readonly drifts: readonly Drift[];
  /** All that was told. */
  readonly told: number;
  /** Of it, all that stands or stood among `troubles` and `drifts`. */
  readonly errors: number;
  /** Why records no longer outlive the page, if it is so. */
  readonly degraded: string | undefined;
};

export const BLANK: Journal = {
  batches: [],
  troubles: [],
  drifts: [],
  told: 0,
  errors: 0,
  degraded: undefined,
};

const MAX_LINES = 20;

/**
 * The journal after a tracker has told one thing more.
 *
 * @param nameOf the name of the record with an id, if it has been seen
 */
export function hear(
  { batches, troubles, drifts, told: before, errors, degraded }: Journal,
  told: Told,
  at: number,
  nameOf: (id: string) => string | undefined,
): Journal {
  const trouble = troubleOf(told, nameOf);
  const drift = driftOf(told);
  return {
    batches: withLine(batches, batchOf(told, before), at),
    troubles: withLine(troubles, trouble, at),
    drifts: withLine(drifts, drift, at),
    told: before + 1,
    errors: errors + (trouble || drift ? 1 : 0),
    degraded: told.name === 'degraded' ? told.told.reason : degraded,
  };
}

type Fresh<L extends Line> = Omit<L, 'at' | 'times'>;

/** The lines with one more on top; one of the same key makes room for it. */
function withLine<L extends Line>(
  lines: readonly L[],
  fresh: Fresh<L> | undefined,
  at: number,
): readonly L[] {
  if (fresh === undefined) return lines;
  const alike = lines.find(({ key }) => key === fresh.key);
  // A fresh line and these two are a line.
  const line = { ...fresh, at, times: (alike?.times ?? 0) + 1 } as unknown as L;
  return [line, ...lines.filter((each) => each !== alike)].slice(0, MAX_LINES);
}

function batchOf({ name, told }: Told, before: number): Fresh<BatchEnd> | undefined {
  switch (name) {
    case 'delivered': {
      const { ids, duplicates } = told;
      const had = duplicates > 0 ? `, ${duplicates} of which the relay had` : '';
      // Each batch has a line of its own.
      return { key: String(before), end: name, detail: some(ids.length, 'record') + had };
    }
    case 'rejected':
      return { key: name, end: name, detail: 'a record' };
    case 'retrying':
      return { key: name + told.reason, end: name, detail: `${told.reason}, ${againInWords(told.inMs)}` };
    default:
      return undefined;
  }
}

function troubleOf(
  { name, told }: Told,
  nameOf: (id: string) => string | undefined,
): Fresh<Trouble> | undefined {
  const trouble = (about: string, issues: readonly Issue[], alike: unknown = about) => ({
    // Of many that are refused for one reason one stands for all.
    key: JSON.stringify([name, alike, issues]),
    kind: name,
    about,
    issues,
  });
  const asAWhole = (message: string) => [{ path: '', message }];

  switch (name) {
    case 'rejected': {
      const known = nameOf(told.id);
      return trouble(known === undefined ? told.id : `${known} ${told.id}`, told.issues, known);
    }
    case 'repaired':
      return told.done === 'kept'
        ? undefined
        : trouble(told.record, [{ path: told.path, message: `${told.rule}: ${told.done}` }]);
    case 'dropped':
      return trouble(some(told.ids.length, 'record'), asAWhole(dropInWords(told.reason)));
    case 'retrying':
      return trouble(againInWords(told.inMs), asAWhole(retryInWords(told.reason)), '');
    case 'degraded':
      return trouble('IndexedDB', asAWhole(`records do not outlive the page: ${told.reason}`));
    default:
      return undefined;
  }
}

function driftOf({ name, told }: Told): Fresh<Drift> | undefined {
  if (name !== 'repaired' || told.done !== 'kept') return undefined;
  const { record, path, rule } = told;
  return { key: JSON.stringify([record, path, rule]), record, path, rule };
}
