import type { Issue } from '../../src/contract/issue.ts';
import { checkRecord } from '../../src/contract/record.ts';

export type BulkPath = 'bulk-users' | 'bulk-events';

export type Verdict =
  | { readonly ok: true; readonly records: readonly Judged[] }
  | { readonly ok: false; readonly message: string };

/** A record as it came, and what the real WebEngage would have dropped of it without a word. */
export type Judged = { readonly record: object; readonly dropped: readonly Issue[] };

const MAX_RECORDS = 25;

// Strict: what is documented, and nothing near it.
const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d[+-]\d{4}$/;
const DATE_FIELDS = ['birthDate', 'eventTime'];

/** Judges the body of a bulk call as WebEngage does: one record it can't take fails the whole call. */
export function judge(path: BulkPath, body: string): Verdict {
  const refuse = (message: string): Verdict => ({ ok: false, message: `Error: ${message}` });
  const collection = path === 'bulk-users' ? 'users' : 'events';

  let records: unknown;
  try {
    records = (JSON.parse(body) as Record<string, unknown> | null)?.[collection];
  } catch {
    return refuse('invalid JSON.');
  }
  if (!Array.isArray(records) || records.length === 0) return refuse(`${collection} cannot be empty.`);
  if (records.length > MAX_RECORDS) return refuse(`at most ${MAX_RECORDS} ${collection} are taken.`);

  for (const record of records) {
    if (typeof record !== 'object' || record === null) return refuse(`${collection} must be objects.`);
    const fields = record as Record<string, unknown>;
    if (!isId(fields.userId) && !isId(fields.anonymousId))
      return refuse('userId and anonymousId cannot be empty.');
    if (collection === 'events' && typeof fields.eventName !== 'string')
      return refuse('eventName cannot be empty.');
    for (const field of DATE_FIELDS)
      if (fields[field] !== undefined && !DATE.test(String(fields[field])))
        return refuse(`${field} is not a valid date.`);
  }
  return { ok: true, records: records.map((record) => ({ record, dropped: droppedOf(path, record) })) };
}

function isId(id: unknown): boolean {
  return typeof id === 'string' && id.length > 0 && id.length <= 100;
}

function droppedOf(path: BulkPath, record: object): readonly Issue[] {
  const kind = path === 'bulk-users' ? 'user' : 'event';
  // The wire's own id is not WebEngage's: any will do for the rules that are.
  const checked = checkRecord({ ...record, kind, id: `${'-'.repeat(22)}.1` });
  return checked.ok ? [] : checked.issues;
}
