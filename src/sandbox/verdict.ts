import type { Control } from './control.ts';
import { dateForm } from './dates.ts';
import { type DroppedIssue, droppedOf } from './dropped.ts';

export type BulkPath = 'bulk-users' | 'bulk-events';

export type Verdict =
  /** `sent`: how many records the call brought. */
  | { readonly ok: true; readonly sent: number; readonly records: readonly Judged[] }
  | { readonly ok: false; readonly sent: number; readonly status: number; readonly message: string };

/**
 * A record as it came, whether WebEngage has it then, and what of it is gone without a word:
 * all of it where it is not taken.
 */
export type Judged = {
  readonly record: object;
  readonly taken: boolean;
  readonly dropped: readonly DroppedIssue[];
};

type Rules = Pick<Control, 'invalid' | 'refuse' | 'otherDates' | 'nulls' | 'numericUserId'>;

/** What keeps a whole record out. `silent`: it fails no call, whatever the others cost. */
type Fault = { readonly message: string; readonly status: number; readonly silent: boolean };

type Fields = Readonly<Record<string, unknown>>;

const MAX_RECORDS = 25;
const MAX_ID_LENGTH = 100;
const DATE_FIELDS = ['birthDate', 'eventTime'];

/** Judges the body of a bulk call as WebEngage does, with one setting for each undocumented behavior. */
export function judge(path: BulkPath, body: string, rules: Rules): Verdict {
  const refuse = (message: string, sent = 0, status = 400): Verdict => ({
    ok: false,
    sent,
    status,
    message: `Error: ${message}`,
  });
  const collection = path === 'bulk-users' ? 'users' : 'events';

  let records: unknown;
  try {
    records = (JSON.parse(body) as Fields | null)?.[collection];
  } catch {
    return refuse('invalid JSON.');
  }
  if (!Array.isArray(records) || records.length === 0) return refuse(`${collection} cannot be empty.`);
  const sent = records.length;
  if (sent > MAX_RECORDS) return refuse(`at most ${MAX_RECORDS} ${collection} are accepted.`, sent);
  if (!records.every(isObject)) return refuse(`${collection} must be objects.`, sent);

  const judged: Judged[] = [];
  for (const record of records) {
    const fault = faultOf(path, record, rules);
    if (fault !== undefined && !fault.silent && rules.invalid === 'fails_call')
      return refuse(fault.message, sent, fault.status);
    judged.push(
      fault === undefined
        ? { record, taken: true, dropped: droppedOf(path === 'bulk-users' ? 'user' : 'event', record) }
        : { record, taken: false, dropped: [{ path: '', message: fault.message }] },
    );
  }
  return { ok: true, sent, records: judged };
}

function faultOf(path: BulkPath, record: Fields, rules: Rules): Fault | undefined {
  const invalid = (message: string, status = 400): Fault => ({ message, status, silent: false });

  for (const field of ['userId', 'anonymousId'])
    if (record[field] !== undefined && !isIdUnder(rules, field, record[field]))
      return invalid(`${field} must be a string of 1 to ${MAX_ID_LENGTH} characters.`);
  if ((record.userId ?? record.anonymousId ?? null) === null)
    return invalid('userId and anonymousId cannot be empty.');
  if (path === 'bulk-events' && (typeof record.eventName !== 'string' || record.eventName === ''))
    return invalid('eventName cannot be empty.');
  if (rules.nulls === 'refused' && holdsNull(record)) return invalid('null is not a value.');
  if (rules.refuse !== undefined && isMeantBy(rules.refuse, record))
    return invalid(`${rules.refuse.field} is not accepted, as configured.`, rules.refuse.status);

  const forms = DATE_FIELDS.filter((field) => (record[field] ?? null) !== null).map((field) => ({
    field,
    form: dateForm(record[field]),
  }));
  const wrong = forms.find(
    ({ form }) => form === 'none' || (form === 'near' && rules.otherDates === 'refused'),
  );
  if (wrong !== undefined) return invalid(`${wrong.field} is not a valid date.`);
  const near = rules.otherDates === 'dropped' ? forms.find(({ form }) => form === 'near') : undefined;
  return near && { ...invalid(`${near.field} is not in the documented form.`), silent: true };
}

function isIdUnder({ nulls, numericUserId }: Rules, field: string, id: unknown): boolean {
  // As good as left out: whether that is enough shows with the other one.
  if (id === null) return nulls === 'accepted';
  if (typeof id === 'number') return field === 'userId' && numericUserId === 'accepted';
  return typeof id === 'string' && id.length > 0 && id.length <= MAX_ID_LENGTH;
}

function isMeantBy({ field, value }: NonNullable<Rules['refuse']>, record: Fields): boolean {
  let found: unknown = record;
  for (const name of field.split('.')) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return false;
    found = found[name];
  }
  return value === undefined || found === value;
}

function holdsNull(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value as object).some(holdsNull));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
