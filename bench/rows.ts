/**
 * Rows that the relay's objects write and read: what Cloudflare bills most of. Where nothing goes wrong, for records that
 * come once; derived from src/edge, and measured in the runtime with `rowsRead` and `rowsWritten` of its cursors.
 */

/** One run: what one browser sent together, of one kind (ingest.ts). A flush of both kinds writes one for each change. */
const ROWS_WRITTEN_PER_RUN = 1;

/** One interval row of the session that the ids belong to (seen.ts). A flush across two page loads writes two. */
const ROWS_WRITTEN_PER_SESSION = 1;

/** A flush of new records of one kind, from one page load. Being counted costs it none (counters.ts). */
export const ROWS_WRITTEN_PER_FLUSH: number = ROWS_WRITTEN_PER_RUN + ROWS_WRITTEN_PER_SESSION;

/** Every `setAlarm()` is billed as a row. Cursors do not show it. */
export const ROWS_WRITTEN_PER_ALARM = 1;

/** The batch, before its first call (sealed.ts). */
const ROWS_WRITTEN_PER_SEAL = 1;

/** The running minute's row, and the batch's own, deleted (sealed-batches.ts, counters.ts). */
const ROWS_WRITTEN_PER_SETTLE = 2;

/** A call that is taken at the first attempt, without the runs in it. */
export const ROWS_WRITTEN_PER_CALL: number = ROWS_WRITTEN_PER_SEAL + ROWS_WRITTEN_PER_SETTLE;

/** Each run in the call: deleted with its last record, or told how many of it are settled (sealed.ts). */
export const ROWS_WRITTEN_PER_MEMBER_RUN = 1;

/** The gate's state, for each permit it grants. One that it refuses writes nothing (rate-gate.ts). */
export const ROWS_WRITTEN_PER_PERMIT = 1;

/** The newest minute, the newest run, and the catalogue of tables, with those of nine days (counters.ts, dedup.ts). */
export const ROWS_READ_PER_FLUSH = 24;

/** At most, on top, where an alarm is set for later: are 25 records there by now? (`holdsFullBatch` in ingest.ts) */
export const ROWS_READ_TO_SEE_IF_FULL = 101;

/** About: sealed batches looked at three times, counts, the batch itself (next-work.ts, sealed.ts). */
export const ROWS_READ_PER_CALL = 12;

/** About: looked at three times before it is cut, read, and deleted (next-work.ts, sealed.ts). */
export const ROWS_READ_PER_MEMBER_RUN = 10;

/** The gate's state, granted or not. */
export const ROWS_READ_PER_ASK = 1;
