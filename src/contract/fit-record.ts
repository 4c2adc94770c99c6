import { eventFields } from './event.ts';
import { fitCustom } from './fit-attributes.ts';
import { fitField } from './fit-field.ts';
import { type Issue, notAField } from './issue.ts';
import type { TrackerRecord } from './record.ts';
import { type Fitting, leftOut } from './repair.ts';
import { ageRule } from './rules/age.ts';
import { type AttributesField, isPlainObject } from './rules/attributes.ts';
import type { Rule } from './rules/rule.ts';
import { userFields } from './user.ts';

// Without a schema library: a page that judges records need not load one.

type Kind = TrackerRecord['kind'];

/** A record of a known kind, whatever its other fields hold. */
export type FittableRecord = { readonly [field: string]: unknown; readonly kind: Kind };

/** Whether it is a record of a known kind, good or bad. */
export function isRecord(input: unknown): input is FittableRecord {
  return isPlainObject(input) && (input.kind === 'user' || input.kind === 'event');
}

const OWNER: Readonly<Record<Kind, string>> = { user: 'a user', event: 'an event' };

/** Leaves out the fields that no record of this kind has. What is no record stays as it is. */
export function* leaveOutUnknown<Input>(input: Input): Fitting<Input | FittableRecord> {
  if (!isRecord(input)) return input;
  const known = FIELDS[input.kind];
  const unknown = Object.keys(input).filter((name) => !Object.hasOwn(known, name));
  // Nearly always there is none.
  if (unknown.length === 0) return input;
  for (const name of unknown) yield leftOut([name], notAField(OWNER[input.kind]));
  return withFields(
    input,
    Object.entries(input).filter(([name]) => Object.hasOwn(known, name)),
  );
}

const RULES: Readonly<Record<Kind, { readonly [field: string]: Rule<unknown> }>> = {
  user: { ...userFields, age: ageRule },
  event: { ...eventFields, age: ageRule },
};

const ATTRIBUTES: Readonly<Record<Kind, AttributesField>> = { user: 'attributes', event: 'eventData' };

const OF_EACH = { kind: true, id: true };

const FIELDS: Readonly<Record<Kind, object>> = {
  user: { ...RULES.user, ...OF_EACH, attributes: true },
  event: { ...RULES.event, ...OF_EACH, eventData: true },
};

// Another of these is another record, or somebody else's.
const CANNOT_CHANGE: ReadonlySet<string> = new Set(['kind', 'id', 'userId', 'eventName']);

/**
 * Makes the fields of a record fit, as far as another value of theirs does not make it another record: what is left then is
 * what a record is refused for.
 */
export function* fitFields(record: FittableRecord): Fitting<FittableRecord> {
  const { kind, userId } = record;
  const fitting: [string, unknown][] = [];
  for (const [name, value] of Object.entries(record)) {
    // Beside a user id WebEngage ignores the anonymous one.
    const isFixed = CANNOT_CHANGE.has(name) || (name === 'anonymousId' && userId === undefined);
    const fitted = isFixed ? value : yield* fitOther(name, value, kind);
    if (fitted !== undefined) fitting.push([name, fitted]);
  }
  return withFields(record, fitting);
}

function withFields(
  { kind }: FittableRecord,
  fields: readonly (readonly [string, unknown])[],
): FittableRecord {
  return { ...Object.fromEntries(fields), kind };
}

/** What the relay refuses a record for, whose id is a tracker's: nothing that can be repaired. */
export function unfitting(record: FittableRecord): readonly Issue[] {
  const issues: Issue[] = [];
  for (const [path, rule] of Object.entries(RULES[record.kind])) {
    const isMissing = record[path] === undefined;
    const message = isMissing && path !== 'eventName' ? undefined : rule(record[path]);
    if (message !== undefined) issues.push({ path, message });
  }
  return issues;
}

function fitOther(name: string, value: unknown, kind: Kind): Fitting<unknown> {
  const field = ATTRIBUTES[kind];
  return name === field ? fitCustom(value, field) : fitField(name, value, RULES[kind][name]);
}
