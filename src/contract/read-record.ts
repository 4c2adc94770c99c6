import type { Issue } from './issue.ts';
import { isPlainRecord } from './plain-record.ts';
import { checkRecord, type TrackerRecord } from './record.ts';
import { fitFields, isRecord, leaveOutUnknown } from './repair/fit-record.ts';
import { collect, type Misfit, type Repair, toRepair } from './repair/repair.ts';
import { toBirthDate } from './rules/birth-date.ts';

/** A record in the form that goes to WebEngage, with its repairs. Or the issues that make it unusable. */
export type ReadRecord =
  | { readonly ok: true; readonly record: TrackerRecord; readonly repairs: readonly Repair[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Reads one record from the wire. Unknown fields are left out, since a later tracker may send more. With
 * `lenient`, other faults are repaired: text is cut, and a field or attribute that can't be cut is left out
 * by itself. Without a valid kind, id, visitor or event name, the record is refused all the same.
 */
export function readRecord(input: unknown, lenient: boolean): ReadRecord {
  if (isPlainRecord(input)) return taken(input, []);
  const misfits: Misfit[] = [];
  const known = collect(leaveOutUnknown(input), misfits);
  const asSent = checkRecord(known);
  if (asSent.ok) return taken(asSent.record, misfits);
  if (!lenient || !isRecord(known)) return asSent;
  const repaired = checkRecord(collect(fitFields(known), misfits));
  // Faults that can't be repaired are still there, so the issues name them.
  return repaired.ok ? taken(repaired.record, misfits) : repaired;
}

function taken(record: TrackerRecord, misfits: readonly Misfit[]): ReadRecord {
  const repairs = misfits.map(toRepair);
  if (record.kind === 'event' || record.birthDate === undefined) return { ok: true, record, repairs };
  return { ok: true, record: { ...record, birthDate: toBirthDate(record.birthDate) }, repairs };
}
