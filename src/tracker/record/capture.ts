import type { Issue } from '../../contract/issue.ts';
import type { Call } from './call.ts';
import { quote } from './quote.ts';
import { copyObject, type Difference, toJsonObject } from './safe-copy.ts';

/** Why a call made no record. No other call is affected. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
  declare readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(issues.map(({ path, message }) => `${path} ${message}`).join('; '));
    this.issues = issues;
  }
}

/** A call whose values have been copied: the page may change its own values without effect. */
export type Captured = Pick<Call, 'kind' | 'json' | 'fields' | 'userId'>;

type Report = (difference: Difference) => void;

// WebEngage's limit for user ids. https://docs.webengage.com/docs/rest-api-tracking-users
const MAX_ID_LENGTH = 100;

// A longer name is refused anyway.
const MAX_NAME_LENGTH = 999;

// The tracker sets these fields of a record.
const OWN_FIELDS = /^(kind|id|age|userId|anonymousId)$/;

function mustBeText(path: string, value: unknown, maxLength: number): asserts value is string {
  if (typeof value !== 'string' || !value || value.length > maxLength)
    throw new RecordError([{ path, message: `must be text of 1 to ${maxLength} characters` }]);
}

/** Copies a `track` call. Throws a `RecordError` if the event name is missing or too long. */
export function captureEvent(eventName: unknown, eventData: unknown, report: Report): Captured {
  mustBeText('eventName', eventName, MAX_NAME_LENGTH);
  const data = copyObject(eventData, 'eventData', report).json;
  const json = `"eventName":${quote(eventName)}`;
  return { kind: 'event', json: data === '{}' ? json : `${json},"eventData":${data}` };
}

/**
 * Copies an `identify` call; without a user id, one of the anonymous visitor. Throws a `RecordError`
 * for an invalid id.
 */
export function captureUser(userId: string | undefined, profile: unknown, report: Report): Captured {
  if (userId !== undefined) mustBeText('userId', userId, MAX_ID_LENGTH);
  const fields = copyObject(profile, '', report).fields.filter(([path]) => {
    const isOwn = OWN_FIELDS.test(path);
    if (isOwn) report({ path, rule: 'is set by the tracker', done: 'left_out' });
    return !isOwn;
  });
  return { kind: 'user', json: toJsonObject(fields).slice(1, -1), fields, userId };
}
