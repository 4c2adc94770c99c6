import { MAX_BATCH_RECORDS } from '../contract/batch.ts';
import type { TrackerRecord } from '../contract/record.ts';
import { toRuns } from './run.ts';
import { admitNew } from './seen.ts';

/** One browser's records, checked. */
export type Delivery = {
  readonly device: string;
  readonly records: readonly TrackerRecord[];
};

export type Receipt = { readonly accepted: number; readonly duplicates: number };

// An alarm set for now, from inside another alarm, can be lost. https://github.com/cloudflare/workerd/issues/6866
export const SOONEST_ALARM_MS = 25;

// An alarm that long overdue will not come: the platform has given it up.
const STALE_ALARM_MS = 60_000;

/** True for an alarm that is set and has not been given up. */
export function alarmComes(alarmAt: number | null, now: number): alarmAt is number {
  return alarmAt !== null && alarmAt > now - STALE_ALARM_MS;
}

/** When records are sent on. */
export type SendingOn = {
  /** When the alarm is set for, or null. */
  readonly alarmAt: number | null;
  readonly lingerMs: number;
  /** Until then no record is a reason to send: WebEngage is down, or the rate limit is used up. */
  readonly heldUntil: number;
};

/**
 * Stores what is new of a delivery: known ids, rows and alarm in one transaction, or nothing of it.
 * The platform holds the answer back until all of it is on disk.
 */
export function ingest(
  storage: DurableObjectStorage,
  { device, records }: Delivery,
  { alarmAt, lingerMs, heldUntil }: SendingOn,
  now: number,
): Receipt {
  return storage.transactionSync(() => {
    const fresh = new Set(
      admitNew(
        storage.sql,
        device,
        records.map(({ id }) => id),
        now,
      ),
    );
    // `delete` answers whether it was there: of an id that stands twice in one delivery, only the first is new.
    const runs = toRuns(records.filter(({ id }) => fresh.delete(id)));

    for (const { kind, records: members } of runs)
      storage.sql.exec(
        'INSERT INTO run (device, kind, at, count, records) VALUES (?, ?, ?, ?, ?)',
        device,
        kind,
        now,
        members.length,
        JSON.stringify(members),
      );

    const fullOrLingered = holdsFullBatch(storage.sql) ? now : now + lingerMs;
    const dueAt = Math.max(fullOrLingered, now + SOONEST_ALARM_MS, heldUntil);
    const comesInTime = alarmComes(alarmAt, now) && alarmAt <= dueAt;
    if (runs.length > 0 && !comesInTime) void storage.setAlarm(dueAt);

    const accepted = runs.reduce((sum, run) => sum + run.records.length, 0);
    return { accepted, duplicates: records.length - accepted };
  });
}

/** True if the oldest rows that no sealed batch holds make a batch; reads at most 25 of them. */
function holdsFullBatch(sql: SqlStorage): boolean {
  const { waiting } = sql
    .exec<{ waiting: number }>(
      `SELECT COALESCE(SUM(count - taken), 0) AS waiting FROM (
         SELECT count, taken FROM run
         WHERE seq NOT IN (SELECT member.value ->> 'seq' FROM batch, json_each(batch.members) AS member)
         ORDER BY seq LIMIT ?
       )`,
      MAX_BATCH_RECORDS,
    )
    .one();
  return waiting >= MAX_BATCH_RECORDS;
}
