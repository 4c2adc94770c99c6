import type { Control } from './control.ts';
import { dateForm, nearForms } from './dates.ts';
import { type DroppedIssue, droppedOf } from './dropped.ts';

export type BulkPath = 'bulk-users' | 'bulk-events';

export type Verdict =
  /** `sent`: how many records the call brought. */
  | { readonly ok: true; readonly sent: number; readonly records: readonly Judged[] }
  | { readonly ok: false; readonly sent: number; readonly status: number; readonly message: string };

/**
 * A record as it came, whether WebEngage has it, and what was dropped silently: the whole record if it is not taken.
 */
export type Judged = {
  readonly record: object;
  readonly taken: boolean;
  readonly dropped: readonly DroppedIssue[];
};

type Rules = Pick<
  Control,
  | 'invalid'
  | 'refuse'
  | 'otherDates'
  | 'dateForms'
  | 'nulls'
  | 'numericUserId'
  | 'rcsOptIn'
  | 'tooMany'
  | 'empty'
>;

/** What keeps a whole record out. `silent`: it fails no call, whatever the others cost. */
type Fault = { readonly message: string; readonly status: number; readonly silent: boolean };

type Fields = Readonly<Record<string, unknown>>;

const MAX_RECORDS = 25;
const MAX_ID_LENGTH = 100;
const DATE_FIELDS = ['birthDate', 'eventTime'];

/** The fault of each record beyond the limit, if a call with too many is cut. */
const BEYOND: Fault = { message: `comes after ${MAX_RECORDS} others.`, status: 400, silent: true };

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
  if (!Array.isArray(records) || (records.length === 0 && rules.empty === 'refused'))
    return refuse(`${collection} cannot be empty.`);
  const sent = records.length;
  if (sent > MAX_RECORDS && rules.tooMany === 'refused')
    return refuse(`at most ${MAX_RECORDS} ${collection} are accepted.`, sent);
  if (!records.every(isObject)) return refuse(`${collection} must be objects.`, sent);

  const judged: Judged[] = [];
  for (const [index, record] of records.entries()) {
    const fault = index < MAX_RECORDS || rules.tooMany !== 'cut' ? faultOf(path, record, rules) : BEYOND;
    if (fault !== undefined && !fault.silent && rules.invalid === 'fails_call')
      return refuse(fault.message, sent, fault.status);
    judged.push(
      fault === undefined
        ? { record, taken: true, dropped: droppedUnder(rules, path, record) }
        : { record, taken: false, dropped: [{ path: '', message: fault.message }] },
    );
  }
  return { ok: true, sent, records: judged };
}

function droppedUnder({ rcsOptIn }: Rules, path: BulkPath, record: Fields): readonly DroppedIssue[] {
  if (path === 'bulk-events') return droppedOf('event', record);
  const issues = droppedOf('user', record);
  return rcsOptIn === 'ignored' && record.rcsOptIn !== undefined
    ? [...issues, { path: 'rcsOptIn', message: 'is not a field of bulk users' }]
    : issues;
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
  if (rules.nulls !== 'accepted' && holdsNull(record))
    return { ...invalid('null is not a value.'), silent: rules.nulls === 'dropped' };
  if (rules.rcsOptIn === 'refused' && record.rcsOptIn !== undefined)
    return invalid('rcsOptIn is not a field of bulk users.');
  if (rules.refuse !== undefined && isMeantBy(rules.refuse, record))
    return invalid(`${rules.refuse.field} is not accepted, as configured.`, rules.refuse.status);

  const dates = DATE_FIELDS.filter((field) => (record[field] ?? null) !== null);
  const endsAs = (field: string) => endOfDate(record[field], rules);
  const wrong = dates.find((field) => endsAs(field) === 'refused');
  if (wrong !== undefined) return invalid(`${wrong} is not a valid date.`);
  const near = dates.find((field) => endsAs(field) === 'dropped');
  return near === undefined
    ? undefined
    : { ...invalid(`${near} is not in the documented form.`), silent: true };
}

const STRICTEST_FIRST = ['refused', 'dropped', 'accepted'] as const;

function endOfDate(date: unknown, { otherDates, dateForms }: Rules): (typeof STRICTEST_FIRST)[number] {
  const form = dateForm(date);
  if (form !== 'near') return form === 'documented' ? 'accepted' : 'refused';
  const ends = nearForms(date).map((near) => dateForms?.[near] ?? otherDates);
  return STRICTEST_FIRST.find((end) => ends.includes(end)) ?? otherDates;
}

function isIdUnder({ nulls, numericUserId }: Rules, field: string, id: unknown): boolean {
  // As good as left out: whether that is enough shows with the other one.
  if (id === null) return nulls !== 'refused';
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
