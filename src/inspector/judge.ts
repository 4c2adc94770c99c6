import { type FittableRecord, fitFields, leaveOutUnknown, unfitting } from '../contract/repair/fit-record.ts';
import { collect, type Misfit, toRepair } from '../contract/repair/repair.ts';
import { type InspectedRecord, ownFields } from '../tracker/inspect.ts';

/** The relay's decision about one field of a record, by WebEngage's rules. */
export type Finding = {
  /** Empty: the record as a whole. */
  readonly path: string;
  /** The rule it breaks, so that path and rule read as one sentence. */
  readonly rule: string;
  /** `refused`: the whole record, for good. */
  readonly done: 'refused' | 'cut' | 'left_out';
};

/** The record as the relay gets it, without the time and the age, which are added when it is sent. */
export function toWire({ kind, id, userId, anonymousId, fields }: InspectedRecord): FittableRecord {
  const visitor = userId === undefined ? { anonymousId } : { userId };
  return asOwn({ kind, ...ownFields({ id, ...visitor, ...fields }) });
}

/** Without a prototype: the rules must not read names that a page has added to it. */
function asOwn(record: FittableRecord): FittableRecord {
  return { __proto__: null, ...record };
}

/** The relay's decision about a record, made by the relay's own code. */
export function judgeRecord(record: InspectedRecord): readonly Finding[] {
  if (record.fields === undefined) return [{ path: '', rule: 'must be JSON', done: 'refused' }];
  const misfits: Misfit[] = [];
  const known = asOwn(collect(leaveOutUnknown(toWire(record)), misfits));
  const issues = unfitting(asOwn(collect(fitFields(known), misfits)));
  return [
    ...issues.map(({ path, message }): Finding => ({ path, rule: message, done: 'refused' })),
    ...misfits.map(toRepair),
  ];
}
