import { fitFields, isRecord, leaveOutUnknown } from './fit-record.ts';
import type { Issue } from './issue.ts';
import { checkRecord, type TrackerRecord } from './record.ts';
import { collect, type Misfit, type Repair, toRepair } from './repair.ts';
import { toBirthDate } from './rules/birth-date.ts';

/** A record as it goes on to WebEngage, and what was changed about it; or what is wrong with it. */
export type ReadRecord =
  | { readonly ok: true; readonly record: TrackerRecord; readonly repairs: readonly Repair[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Reads one record, as it came over the wire. A field that no record of its kind has is left out: a later release of the
 * tracker may send more. With `lenient`, anything else that is wrong is repaired: text is cut, and a field or attribute that
 * can't be cut to fit is left out by itself. Without its kind, id, visitor or event name a record is refused all the same.
 */
export function readRecord(input: unknown, lenient: boolean): ReadRecord {
  const misfits: Misfit[] = [];
  const known = collect(leaveOutUnknown(input), misfits);
  const asSent = checkRecord(known);
  if (asSent.ok) return taken(asSent.record, misfits);
  if (!lenient || !isRecord(known)) return asSent;
  const repaired = checkRecord(collect(fitFields(known), misfits));
  // What can't be repaired is still there, and is what the issues name.
  return repaired.ok ? taken(repaired.record, misfits) : repaired;
}

function taken(record: TrackerRecord, misfits: readonly Misfit[]): ReadRecord {
  const repairs = misfits.map(toRepair);
  if (record.kind === 'event' || record.birthDate === undefined) return { ok: true, record, repairs };
  return { ok: true, record: { ...record, birthDate: toBirthDate(record.birthDate) }, repairs };
}
