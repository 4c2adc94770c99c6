import type { Attributes } from '../contract/attributes.ts';
import { eventFields } from '../contract/event.ts';
import type { Issue } from '../contract/issue.ts';
import type { EventRecord, UserRecord } from '../contract/record.ts';
import type { Rule } from '../contract/rule.ts';
import { userFields } from '../contract/user.ts';
import { type Repair, repairAttributes, writeDate } from './repair.ts';

/** A call, checked: a record in the making, still without id and, for an event, without its visitor. */
export type Draft =
  | { readonly at: number; readonly userId: string; readonly fields: Omit<UserRecord, 'id' | 'age'> }
  | { readonly at: number; readonly userId?: undefined; readonly fields: Omit<EventRecord, 'id' | 'age'> };

/** What `identify` takes beside the id. A `Date` is written in WebEngage's format. */
export type Profile = {
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
  readonly attributes?: object;
};

/** Why a call made no record: the contract refuses it as a whole. Nothing else is lost by it. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(issues.map(({ path, message }) => `${path} ${message}`.trim()).join('; '));
    this.issues = issues;
  }
}

/** A checked call, and what was changed about its attributes to make it fit. */
export type Made = { readonly draft: Draft; readonly repairs: readonly Repair[] };

/**
 * Holds the fields of a call against the contract's table of them; throws what is wrong with them, all of it.
 * Custom attributes are no part of it: repairing leaves them as the contract has them.
 */
function mustFit(fields: object, rules: Readonly<Record<string, Rule<unknown>>>, required: string): void {
  const issues = Object.entries(fields).flatMap(([path, value]) => {
    if (value === undefined && path !== required) return [];
    const message = Object.hasOwn(rules, path) ? rules[path]?.(value) : 'is not a field';
    return message === undefined ? [] : [{ path, message }];
  });
  if (issues.length > 0) throw new RecordError(issues);
}

// One id is sent, and which one is not the caller's to say.
const { anonymousId: _, ...identifyFields } = userFields;

function attributesOf(
  given: unknown,
  field: 'attributes' | 'eventData',
  strict: boolean,
  repairs: Repair[],
): { readonly [field: string]: Attributes } {
  if (given === undefined || given === null) return {};
  if (typeof given !== 'object' || Array.isArray(given))
    throw new RecordError([{ path: field, message: 'must be an object' }]);
  const attributes = repairAttributes(given, field, (repair) => repairs.push(repair));
  if (strict && repairs.length > 0)
    throw new RecordError(repairs.map(({ path, rule }) => ({ path, message: rule })));
  return { [field]: attributes };
}

/** Checks an `identify` call, and takes a snapshot of it. Throws a `RecordError`. */
export function makeUser(userId: string, profile: Profile | undefined, at: number, strict: boolean): Made {
  const repairs: Repair[] = [];
  const { attributes, birthDate, ...rest } = profile ?? {};
  const fields = {
    ...rest,
    birthDate: birthDate instanceof Date ? (writeDate(birthDate) ?? '') : birthDate,
    userId,
  };
  mustFit(fields, identifyFields, 'userId');
  const custom = attributesOf(attributes, 'attributes', strict, repairs);
  return { draft: { at, userId, fields: { kind: 'user', ...fields, ...custom } }, repairs };
}

/** Checks a `track` call, and takes a snapshot of it. Throws a `RecordError`. */
export function makeEvent(
  eventName: string,
  eventData: object | undefined,
  at: number,
  strict: boolean,
): Made {
  const repairs: Repair[] = [];
  const fields = { eventName, eventTime: writeDate(new Date(at)) };
  mustFit(fields, eventFields, 'eventName');
  const custom = attributesOf(eventData, 'eventData', strict, repairs);
  return { draft: { at, fields: { kind: 'event', ...fields, ...custom } }, repairs };
}
