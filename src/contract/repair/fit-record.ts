import { eventFields } from '../event.ts';
import { type Issue, notAField } from '../issue.ts';
import type { TrackerRecord } from '../record.ts';
import { ageRule } from '../rules/age.ts';
import { type AttributesField, isPlainObject, MAX_STRING_LENGTH } from '../rules/attributes.ts';
import type { Rule } from '../rules/rule.ts';
import { cutText } from '../rules/text.ts';
import { userFields } from '../user.ts';
import { fitCustom } from './fit-attributes.ts';
import { type Fitting, leftOut } from './repair.ts';

// No schema library here: a page that checks records need not load one.

type Kind = TrackerRecord['kind'];

/** A record of a known kind. Its other fields may hold anything. */
export type FittableRecord = { readonly [field: string]: unknown; readonly kind: Kind };

/** True for a record of a known kind, valid or not. */
export function isRecord(input: unknown): input is FittableRecord {
  return isPlainObject(input) && (input.kind === 'user' || input.kind === 'event');
}

const OWNER: Readonly<Record<Kind, string>> = { user: 'a user', event: 'an event' };

/** Leaves out fields that no record of this kind has. Anything that is not a record stays unchanged. */
export function* leaveOutUnknown<Input>(input: Input): Fitting<Input | FittableRecord> {
  if (!isRecord(input)) return input;
  const known = FIELDS[input.kind];
  const unknown = Object.keys(input).filter((name) => !Object.hasOwn(known, name));
  // The usual case.
  if (unknown.length === 0) return input;
  for (const name of unknown) yield leftOut([name], notAField(OWNER[input.kind]));
  return withFields(
    input,
    Object.entries(input).filter(([name]) => Object.hasOwn(known, name)),
  );
}

export const RULES: Readonly<Record<Kind, { readonly [field: string]: Rule<unknown> }>> = {
  user: { ...userFields, age: ageRule },
  event: { ...eventFields, age: ageRule },
};

const ATTRIBUTES: Readonly<Record<Kind, AttributesField>> = { user: 'attributes', event: 'eventData' };

const OF_EACH = { kind: true, id: true };

const FIELDS: Readonly<Record<Kind, object>> = {
  user: { ...RULES.user, ...OF_EACH, attributes: true },
  event: { ...RULES.event, ...OF_EACH, eventData: true },
};

// Changing one of these would make it another record, or another person's.
const CANNOT_CHANGE: ReadonlySet<string> = new Set(['kind', 'id', 'userId', 'eventName']);

/**
 * Makes the fields of a record fit, except those that can't change without making it another record. If one
 * of those still breaks a rule, the record is refused.
 */
export function* fitFields(record: FittableRecord): Fitting<FittableRecord> {
  const { kind, userId } = record;
  const fitting: [string, unknown][] = [];
  for (const [name, value] of Object.entries(record)) {
    // WebEngage ignores the anonymous id if there is a user id.
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

/**
 * The issues for which the relay refuses a record that `fitFields` has repaired. It does not check the
 * record's id, or that there is a visitor: a tracker sets both.
 */
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

/** Makes a field's value fit its rule. Text is cut if that helps, and anything else is left out. */
export function* fitField(name: string, value: unknown, rule: Rule<unknown> | undefined): Fitting<unknown> {
  const broken = rule?.(value);
  if (rule === undefined || broken === undefined || value === undefined) return value;
  const cut = typeof value === 'string' ? cutText(value, MAX_STRING_LENGTH) : undefined;
  const fits = cut !== undefined && rule(cut) === undefined;
  yield { path: [name], rule: broken, done: fits ? 'cut' : 'left_out' };
  return fits ? cut : undefined;
}
