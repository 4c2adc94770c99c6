import { type AttributesField, isPlainObject } from './attributes.ts';
import { toBirthDate } from './birth-date.ts';
import { eventFields } from './event.ts';
import { fitCustom } from './fit-attributes.ts';
import { fitField } from './fit-field.ts';
import { type Issue, notAField } from './issue.ts';
import { ageRule, checkRecord, recordFields, type TrackerRecord } from './record.ts';
import { collect, type Fitting, leftOut, type Misfit, type Repair, toRepair } from './repair.ts';
import type { Rule } from './rule.ts';
import { userFields } from './user.ts';

/** A record as it goes on to WebEngage, and what was changed about it; or what is wrong with it. */
export type ReadRecord =
  | { readonly ok: true; readonly record: TrackerRecord; readonly repairs: readonly Repair[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

type Fields = { readonly [field: string]: unknown };
type Kind = TrackerRecord['kind'];

/**
 * Reads one record, as it came over the wire. A field that no record of its kind has is left out: a later release of the
 * tracker may send more. With `lenient`, anything else that is wrong is repaired: text is cut, and a field or attribute that
 * can't be cut to fit is left out by itself. Without its kind, id, visitor or event name a record is refused all the same.
 */
export function readRecord(input: unknown, lenient: boolean): ReadRecord {
  const misfits: Misfit[] = [];
  const known = collect(leaveOutUnknown(input), misfits);
  const asSent = checkRecord(known);
  if (asSent.ok) return taken(asSent.record, misfits);
  if (!lenient || !isRecord(known)) return asSent;
  const repaired = checkRecord(collect(fitFields(known), misfits));
  // What can't be repaired is still there, and is what the issues name.
  return repaired.ok ? taken(repaired.record, misfits) : repaired;
}

function taken(record: TrackerRecord, misfits: readonly Misfit[]): ReadRecord {
  const repairs = misfits.map(toRepair);
  if (record.kind === 'event' || record.birthDate === undefined) return { ok: true, record, repairs };
  return { ok: true, record: { ...record, birthDate: toBirthDate(record.birthDate) }, repairs };
}

function isRecord(input: unknown): input is Fields & { readonly kind: Kind } {
  return isPlainObject(input) && (input.kind === 'user' || input.kind === 'event');
}

const OWNER: Readonly<Record<Kind, string>> = { user: 'a user', event: 'an event' };

function* leaveOutUnknown(input: unknown): Fitting<unknown> {
  if (!isRecord(input)) return input;
  const known = recordFields[input.kind];
  const unknown = Object.keys(input).filter((name) => !Object.hasOwn(known, name));
  // Nearly always there is none.
  if (unknown.length === 0) return input;
  for (const name of unknown) yield leftOut([name], notAField(OWNER[input.kind]));
  return Object.fromEntries(Object.entries(input).filter(([name]) => Object.hasOwn(known, name)));
}

const RULES: Readonly<Record<Kind, { readonly [field: string]: Rule<unknown> }>> = {
  user: { ...userFields, age: ageRule },
  event: { ...eventFields, age: ageRule },
};

const ATTRIBUTES: Readonly<Record<Kind, AttributesField>> = { user: 'attributes', event: 'eventData' };

// Another of these is another record, or somebody else's.
const CANNOT_CHANGE: ReadonlySet<string> = new Set(['kind', 'id', 'userId', 'eventName']);

function* fitFields(record: Fields & { readonly kind: Kind }): Fitting<Fields> {
  const { kind, userId } = record;
  const fitting: [string, unknown][] = [];
  for (const [name, value] of Object.entries(record)) {
    // Beside a user id WebEngage ignores the anonymous one.
    const isFixed = CANNOT_CHANGE.has(name) || (name === 'anonymousId' && userId === undefined);
    const fitted = isFixed ? value : yield* fitOther(name, value, kind);
    if (fitted !== undefined) fitting.push([name, fitted]);
  }
  return Object.fromEntries(fitting);
}

function fitOther(name: string, value: unknown, kind: Kind): Fitting<unknown> {
  const field = ATTRIBUTES[kind];
  return name === field ? fitCustom(value, field) : fitField(name, value, RULES[kind][name]);
}
