/** What waits to be sent to WebEngage. */
export type Backlog = {
  readonly records: number;
  /** How long the oldest has waited; 0 where nothing does. */
  readonly oldestAgeMs: number;
  /** Batches that were sent at least once and are not settled. */
  readonly retrying: number;
};

export function backlog(sql: SqlStorage, now: number): Backlog {
  const { records, oldestAt } = sql
    .exec<{ records: number; oldestAt: number | null }>(
      'SELECT COALESCE(SUM(count - taken), 0) AS records, MIN(at) AS oldestAt FROM run',
    )
    .one();
  const { retrying } = sql
    .exec<{ retrying: number }>('SELECT COUNT(*) AS retrying FROM batch WHERE attempts > 0')
    .one();
  return { records, oldestAgeMs: oldestAt === null ? 0 : Math.max(0, now - oldestAt), retrying };
}
