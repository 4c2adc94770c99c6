import {
  check,
  forward,
  type InferOutput,
  literal,
  optional,
  pipe,
  regex,
  safeParse,
  strictObject,
  string,
  variant,
} from 'valibot';
import { attributesSchema } from './attributes-schema.ts';
import { eventFields } from './event.ts';
import { fieldMessage, type Issue, toIssues } from './issue.ts';
import { ageRule } from './rules/age.ts';
import { ruleSchema, ruleSchemas } from './rules/rule-schema.ts';
import { userFields } from './user.ts';

/** A random id of the page load in base64url characters, a dot, and the record’s number in that page load, from 1. */
export const RECORD_ID = /^[\w-]{22}\.[1-9]\d{0,14}$/;

const wireFields = {
  id: pipe(
    string('is required, as a string'),
    regex(RECORD_ID, 'must be <session>.<seq>: 22 characters of base64url, a dot, a number from 1'),
  ),
  age: optional(ruleSchema(ageRule)),
};

const userRecordSchema = strictObject(
  {
    kind: literal('user'),
    ...wireFields,
    ...ruleSchemas(userFields),
    attributes: optional(attributesSchema('attributes')),
  },
  fieldMessage('a user'),
);

const eventRecordSchema = strictObject(
  {
    kind: literal('event'),
    ...wireFields,
    ...ruleSchemas(eventFields),
    eventName: ruleSchema(eventFields.eventName),
    eventData: optional(attributesSchema('eventData')),
  },
  fieldMessage('an event'),
);

const recordSchema = pipe(
  variant('kind', [userRecordSchema, eventRecordSchema], 'must be a record of kind user or event'),
  forward(
    check(
      ({ userId, anonymousId }) => userId !== undefined || anonymousId !== undefined,
      'is required, unless there is an anonymousId',
    ),
    ['userId'],
  ),
);

/** One stored `identify` call. Without a `userId` it describes the anonymous visitor. */
export type UserRecord = InferOutput<typeof userRecordSchema>;

/** One stored `track` call. */
export type EventRecord = InferOutput<typeof eventRecordSchema>;

export type TrackerRecord = UserRecord | EventRecord;

export type RecordKind = TrackerRecord['kind'];

export type CheckedRecord =
  | { readonly ok: true; readonly record: TrackerRecord }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Checks one record from the wire against every rule of the contract. */
export function checkRecord(input: unknown): CheckedRecord {
  const { success, issues } = safeParse(recordSchema, input);
  // The schema transforms nothing, so a valid record passes through unchanged, with its fields in their order.
  return success ? { ok: true, record: input as TrackerRecord } : { ok: false, issues: toIssues(issues) };
}

/** Splits a record's id into its page load and its number there. */
export function splitId(id: string): { readonly session: string; readonly seq: number } {
  const dot = id.indexOf('.');
  return { session: id.slice(0, dot), seq: Number(id.slice(dot + 1)) };
}
