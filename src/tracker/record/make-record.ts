import type { Attributes, AttributesField } from '../../contract/attributes.ts';
import { eventNameRule } from '../../contract/event.ts';
import type { Issue } from '../../contract/issue.ts';
import type { EventRecord, UserRecord } from '../../contract/record.ts';
import type { Rule } from '../../contract/rule.ts';
import { identifyFields } from '../../contract/user.ts';
import { type Repair, repairAttributes, writeDate } from './repair.ts';

/** A record in the making, still without id and, for an event, without its visitor. */
export type Fields =
  | (Omit<UserRecord, 'id' | 'age'> & { readonly userId: string })
  | Omit<EventRecord, 'id' | 'age'>;

/** What `identify` takes beside the id. A `Date` is written in WebEngage's format. */
export type Profile<Attributes extends object = object> = {
  readonly firstName?: string;
  readonly lastName?: string;
  readonly birthDate?: Date | string;
  readonly gender?: 'male' | 'female' | 'other';
  readonly email?: string;
  /** E.164, as `+551155256325`. */
  readonly phone?: string;
  readonly company?: string;
  readonly emailOptIn?: boolean;
  readonly smsOptIn?: boolean;
  readonly whatsappOptIn?: boolean;
  readonly rcsOptIn?: boolean;
  readonly hashedEmail?: string;
  readonly hashedPhone?: string;
  /** Custom attributes: strings, numbers, booleans, dates, arrays, objects. */
  readonly attributes?: Attributes;
};

/** Why a call made no record: the contract refuses it as a whole. Nothing else is lost by it. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
  declare readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(issues.map(({ path, message }) => `${path} ${message}`).join('; '));
    this.issues = issues;
  }
}

/** A call, checked, and what was changed about its attributes to make it fit. */
export type Made = { readonly at: number; readonly fields: Fields; readonly repairs: readonly Repair[] };

/**
 * Holds the fields of a call against the contract's table of them; throws what is wrong with them, all of it.
 * Custom attributes are no part of it: repairing leaves them as the contract has them.
 */
function mustFit(fields: object, rules: Readonly<Record<string, Rule<unknown>>>): void {
  const issues = Object.entries(fields).flatMap(([path, value]) => {
    if (value === undefined) return [];
    const message = Object.hasOwn(rules, path) ? rules[path]?.(value) : 'is not a field';
    return message ? [{ path, message }] : [];
  });
  if (issues.length > 0) throw new RecordError(issues);
}

function attributesOf(
  given: unknown,
  field: AttributesField,
  strict: boolean,
): readonly [custom: { readonly [field: string]: Attributes }, repairs: readonly Repair[]] {
  const repairs: Repair[] = [];
  if (given === undefined || given === null) return [{}, repairs];
  if (typeof given !== 'object' || Array.isArray(given))
    throw new RecordError([{ path: field, message: 'must be an object' }]);
  const custom = { [field]: repairAttributes(given, field, (repair) => repairs.push(repair)) };
  if (strict && repairs.length > 0)
    throw new RecordError(repairs.map(({ path, rule }) => ({ path, message: rule })));
  return [custom, repairs];
}

/** Checks an `identify` call, and takes a snapshot of it. Throws a `RecordError`. */
export function makeUser(userId: string, profile: Profile | undefined, at: number, strict: boolean): Made {
  const { attributes, birthDate, ...rest } = profile ?? {};
  const fields = {
    ...rest,
    birthDate: birthDate instanceof Date ? (writeDate(birthDate) ?? '') : birthDate,
    // Not given is no id: empty, which the rule has words for.
    userId: userId ?? '',
  };
  mustFit(fields, identifyFields);
  const [custom, repairs] = attributesOf(attributes, 'attributes', strict);
  // Undefined is not given: it takes nothing back that an earlier call has told.
  const given = Object.entries({ ...fields, ...custom }).filter(([, value]) => value !== undefined);
  return { at, fields: { kind: 'user', userId, ...Object.fromEntries(given) }, repairs };
}

/** Checks a `track` call, and takes a snapshot of it. Throws a `RecordError`. */
export function makeEvent(
  eventName: string,
  eventData: object | undefined,
  at: number,
  strict: boolean,
): Made {
  mustFit({ eventName: eventName ?? '' }, { eventName: eventNameRule });
  const [custom, repairs] = attributesOf(eventData, 'eventData', strict);
  const eventTime = writeDate(new Date(at));
  return { at, fields: { kind: 'event', eventName, eventTime, ...custom }, repairs };
}
