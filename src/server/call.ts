import type { Issue } from '../contract/issue.ts';
import type { RecordKind } from '../contract/record.ts';
import { fitFields, leaveOutUnknown, unfitting } from '../contract/repair/fit-record.ts';
import { collect, type Misfit, toRepair } from '../contract/repair/repair.ts';
import { lengthRule, utf8Bytes } from '../contract/rules/text.ts';
import { RecordError } from '../tracker/record/capture.ts';
import type { EventData } from '../tracker/record/event-types.ts';
import type { Profile } from '../tracker/record/profile.ts';
import { copyObject } from '../tracker/record/safe-copy.ts';

/** Whom a call is about: a user by your own id, or an anonymous visitor. WebEngage ignores the second id beside the first. */
export type Person =
  | { readonly userId: string; readonly anonymousId?: string | undefined }
  | { readonly userId?: undefined; readonly anonymousId: string };

type Once = {
  /**
   * What makes this call the same one when it is made again: an order's id, say, or the id of a webhook's delivery.
   * For eight days the relay takes it once per person and kind of call, whichever process makes it.
   * Two different events of one person need two: `order-1337-paid` and `order-1337-shipped`.
   * 1 to 999 characters.
   */
  readonly messageId?: string | undefined;
};

/** The field with an event's data. It may be left out if everything in it may. */
type DataField<Data extends readonly unknown[]> = [] extends Data
  ? { readonly eventData?: Data[0] }
  : { readonly eventData: Data[0] };

/** A call of `track`. */
export type ServerEvent<Events extends object, Name extends keyof Events> = Person &
  Once &
  DataField<EventData<Events, Name>> & {
    readonly eventName: Name;
    /**
     * When it happened: a `Date`, or text as `yyyy-MM-ddTHH:mm:ss±hhmm`. WebEngage gets it as it is, even if it is
     * years old. Without it, the moment of the call counts.
     */
    readonly eventTime?: Date | string | undefined;
  };

/** A call of `identify`. */
export type ServerUser<Attributes extends object = object> = Person & Once & Profile<Attributes>;

type Fields = { readonly [name: string]: unknown };

/** The person of a call or a record, as a key: the same text for all that is about them. */
export function personOf({ userId, anonymousId }: Fields): string {
  return userId === undefined ? `anonymous ${anonymousId}` : `user ${userId}`;
}

/** A call as plain text, checked: its caller may change the values without effect. */
export type CheckedCall = {
  readonly kind: RecordKind;
  /** From `personOf`. */
  readonly person: string;
  readonly messageId: string | undefined;
  /** The record without id and age: a JSON object. */
  readonly json: string;
  /** The size of `json` in UTF-8. */
  readonly bytes: number;
};

const messageIdRule = lengthRule(1, 999);

// Fields of every record, which the client sets.
const OWN_FIELDS = ['kind', 'id', 'age'];

/** What to do about a broken rule, if the rule alone does not say it. */
function remedyOf({ path, message }: Issue, kind: RecordKind): string {
  if (path === 'eventTime') return ': pass a Date, or text such as 2026-11-23T15:45:00+0100';
  if (!message.startsWith('is not a field')) return '';
  return `: put your own attributes into ${kind === 'event' ? 'eventData' : 'attributes'}`;
}

/** Everything for which the relay would refuse the record, or change it. */
function issuesOf(record: Fields & { readonly kind: RecordKind }, messageId: unknown): readonly Issue[] {
  const misfits: Misfit[] = [];
  const fitted = collect(fitFields(collect(leaveOutUnknown(record), misfits)), misfits);
  const issues: Issue[] = [
    ...misfits.map(toRepair).map(({ path, rule }) => ({ path, message: rule })),
    ...unfitting(fitted),
  ];
  const { userId, anonymousId } = record;
  if (userId === undefined && anonymousId === undefined)
    issues.unshift({ path: 'userId', message: 'is required, unless there is an anonymousId' });
  const wrongId = messageId === undefined ? undefined : messageIdRule(messageId);
  return wrongId === undefined ? issues : [...issues, { path: 'messageId', message: wrongId }];
}

/**
 * Copies and checks a call by every rule of the contract. A `Date` becomes text in the process's own time zone.
 * Throws a `RecordError` that names each field and rule; nothing is repaired.
 */
export function checkCall(kind: RecordKind, given: unknown): CheckedCall {
  const uncopied: Issue[] = [];
  const copy = copyObject(given, '', ({ path, rule }) =>
    uncopied.push({ path: path || 'the call', message: rule }),
  );
  const { messageId, ...fields }: Fields = JSON.parse(copy.json);
  const own = OWN_FIELDS.filter((name) => name in fields);
  const issues = [
    ...uncopied,
    ...own.map((path) => ({ path, message: 'is set by the client: leave it out' })),
    ...issuesOf({ ...fields, kind }, messageId),
  ];
  if (issues.length > 0)
    throw new RecordError(
      issues.map((issue) => ({ ...issue, message: issue.message + remedyOf(issue, kind) })),
    );
  const json = JSON.stringify({ kind, ...fields });
  return {
    kind,
    person: personOf(fields),
    messageId: messageId === undefined ? undefined : String(messageId),
    json,
    bytes: utf8Bytes(json),
  };
}
