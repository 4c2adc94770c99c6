import { type Issue, MAX_ISSUES } from '../../contract/issue.ts';
import { readRecord } from '../../contract/read-record.ts';
import type { EventRecord, RecordKind, TrackerRecord } from '../../contract/record.ts';
import type { Repair } from '../../contract/repair/repair.ts';
import { parseDate } from '../../contract/rules/date.ts';
import { offPlan } from '../../plan/off-plan.ts';
import type { Plan } from '../../plan/plan.ts';
import type { TypedColumn } from './columns/column-types.ts';
import { KINDS, targetName } from './columns/target.ts';
import type { ImportRow } from './source.ts';
import { originalRow, type RawRow } from './table.ts';
import { convert, mustBe, type ValueType } from './values/convert.ts';
import type { TimeZone } from './values/time-zone.ts';

/** The rules for rows. */
export type RowRules = {
  readonly kind: RecordKind;
  readonly plan?: Plan | undefined;
  /** Repairs what can be repaired, as the relay does for trackers, in place of refusing the row. */
  readonly repair: boolean;
  /** Older events are refused. Undefined takes all of them. */
  readonly oldestEventAt: number | undefined;
  readonly maxEventAge: string;
};

/** Turns a row of the file into a record, and checks it by the contract. */
export type CheckRow = (raw: RawRow, number: number) => ImportRow;

// The contract requires an id. The real one is added when the row is sent.
const ANY_ID = `${'0'.repeat(22)}.1`;

type Built = {
  readonly record: { [field: string]: unknown };
  readonly issues: Issue[];
};

export function rowChecker(columns: readonly TypedColumn[], zone: TimeZone, rules: RowRules): CheckRow {
  const build = recordBuilder(columns, zone, rules.kind);
  const names = columns.map(({ name }) => name);

  return (raw, number) => {
    const { line } = raw;
    const refuse = (issues: readonly Issue[]): ImportRow => ({
      number,
      line,
      ok: false,
      issues: issues.slice(0, MAX_ISSUES),
      row: originalRow(raw, names),
    });
    if (!('values' in raw)) return refuse([raw.issue]);
    const { record, issues } = build(raw.values);
    const read = readRecord(record, rules.repair);
    const kept = rules.repair ? issues.filter(({ path }) => CANNOT_LEAVE_OUT.has(path)) : issues;
    if (!read.ok || kept.length > 0) return refuse(merged(kept, read.ok ? [] : read.issues));
    const repairs = [...issues.map(toRepair), ...read.repairs];
    const own = [...ruleOfTime(read.record, rules), ...(rules.plan ? offPlan(read.record, rules.plan) : [])];
    return own.length > 0
      ? refuse(own.map(({ path, message }) => ({ path, message })))
      : accept(read.record, repairs, { number, line });
  };
}

const CANNOT_LEAVE_OUT: ReadonlySet<string> = new Set(['userId', 'anonymousId', 'eventName', 'eventTime']);

const toRepair = ({ path, message }: Issue): Repair => ({ path, rule: message, done: 'left_out' });

/** A value that can't be converted is missing in the record, which is no second issue. */
function merged(ours: readonly Issue[], contracts: readonly Issue[]): Issue[] {
  return [...ours, ...contracts.filter(({ path }) => !ours.some((our) => our.path === path))];
}

function accept(
  { id, ...record }: TrackerRecord,
  repairs: readonly Repair[],
  place: { readonly number: number; readonly line: number },
): ImportRow {
  const json = JSON.stringify(record);
  return {
    ...place,
    ok: true,
    kind: record.kind,
    person: record.userId ?? record.anonymousId ?? '',
    json,
    bytes: Buffer.byteLength(json),
    ...(repairs.length > 0 ? { repairs } : {}),
  };
}

function ruleOfTime(record: TrackerRecord, { oldestEventAt, maxEventAge }: RowRules): Issue[] {
  if (record.kind !== 'event') return [];
  const at = timeOf(record);
  if (at === undefined)
    return [{ path: 'eventTime', message: 'is required: without it, the event would happen at the import' }];
  if (oldestEventAt === undefined || at >= oldestEventAt) return [];
  return [
    {
      path: 'eventTime',
      message: `must be within ${maxEventAge}, because older events still start journeys: to send them, use --allow-old-events`,
    },
  ];
}

const timeOf = ({ eventTime }: EventRecord): number | undefined =>
  eventTime === undefined ? undefined : parseDate(eventTime)?.at;

/** Where a column's values go in the record, and how they are converted. */
type Slot = {
  readonly index: number;
  readonly isField: boolean;
  readonly name: string;
  /** For issues. */
  readonly path: string;
  readonly type: ValueType;
  readonly ofEvents: ReadonlyMap<string, ValueType>;
  readonly dates: { readonly format: TypedColumn['format']; readonly zone: TimeZone };
};

function slotsOf(columns: readonly TypedColumn[], zone: TimeZone, kind: RecordKind): Slot[] {
  return columns.flatMap(({ target, valueType, ofEvents, format }, index) =>
    target === undefined
      ? []
      : [
          {
            index,
            isField: target.of === 'field',
            name: target.name,
            path: targetName(target, kind),
            type: valueType,
            ofEvents,
            dates: { format, zone },
          },
        ],
  );
}

function recordBuilder(
  columns: readonly TypedColumn[],
  zone: TimeZone,
  kind: RecordKind,
): (values: readonly unknown[]) => Built {
  const slots = slotsOf(columns, zone, kind);
  const { custom } = KINDS[kind];
  const eventColumn = columns.findIndex(
    ({ target }) => target?.of === 'field' && target.name === 'eventName',
  );

  return (values) => {
    const record: Built['record'] = { kind, id: ANY_ID };
    const attributes: Built['record'] = {};
    const issues: Issue[] = [];
    let hasAttributes = false;
    for (const slot of slots) {
      const value = values[slot.index];
      // Never null, whose effect in WebEngage is undocumented.
      if (value === undefined || value === '' || value === null) continue;
      const type =
        slot.ofEvents.size === 0 ? slot.type : (slot.ofEvents.get(String(values[eventColumn])) ?? slot.type);
      const converted = convert(value, type, slot.dates);
      if (converted === undefined) {
        issues.push({ path: slot.path, message: mustBe(type, value) });
      } else if (slot.isField) {
        record[slot.name] = converted;
      } else {
        attributes[slot.name] = converted;
        hasAttributes = true;
      }
    }
    if (hasAttributes) record[custom] = attributes;
    return { record, issues };
  };
}
