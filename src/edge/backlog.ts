/** What waits to be sent to WebEngage. */
export type Backlog = {
  readonly records: number;
  /** How long the oldest has waited; 0 where nothing does. */
  readonly oldestAgeMs: number;
  /** Batches that were sent at least once and are not settled. */
  readonly retrying: number;
  /** How many of them by the status they were last answered with; 0: with none. */
  readonly byStatus: Readonly<Record<string, number>>;
};

export function backlog(sql: SqlStorage, now: number): Backlog {
  const { records, oldestAt } = sql
    .exec<{ records: number; oldestAt: number | null }>(
      'SELECT COALESCE(SUM(count - taken), 0) AS records, MIN(at) AS oldestAt FROM run',
    )
    .one();
  const statuses = sql
    .exec<{ status: number; batches: number }>(
      'SELECT status, COUNT(*) AS batches FROM batch WHERE attempts > 0 GROUP BY status',
    )
    .toArray();
  return {
    records,
    oldestAgeMs: oldestAt === null ? 0 : Math.max(0, now - oldestAt),
    retrying: statuses.reduce((sum, { batches }) => sum + batches, 0),
    byStatus: Object.fromEntries(statuses.map(({ status, batches }) => [String(status), batches])),
  };
}
