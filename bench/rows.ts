/**
 * Rows that the relay's objects write and read: the largest item on Cloudflare's bill. Derived from src/edge
 * for new records without errors, and measured in the runtime with the cursors' `rowsRead` and `rowsWritten`.
 */

/**
 * One run: records of one kind that one browser sent together (queue/ingest.ts). A flush with both kinds
 * writes one for each change of kind.
 */
const ROWS_WRITTEN_PER_RUN = 1;

/**
 * A flush of new records of one kind. Counting them writes no row (queue/counters/tally.ts), and their ids are stored with them
 * (queue/dedup/new-ids.ts).
 */
export const ROWS_WRITTEN_PER_FLUSH: number = ROWS_WRITTEN_PER_RUN;

/** The ids of a page load, once a segment is full or old. More often if it goes on after that (queue/dedup/). */
export const ROWS_WRITTEN_PER_PAGE_LOAD = 1;

/**
 * The running minute's row, the new table's, and the state of the segments. The dropped one's rows are free
 * (queue/segments/turn-over.ts).
 */
export const ROWS_WRITTEN_PER_TURN_OVER = 4;

/** Every `setAlarm()` is billed as a row. Cursors do not show it. */
export const ROWS_WRITTEN_PER_ALARM = 1;

/** The batch, before its first call (queue/sealed-batches.ts). */
const ROWS_WRITTEN_PER_SEAL = 1;

/**
 * The running minute's row, which also tells which runs are settled, and the batch's deleted row
 * (queue/call-outcome.ts, queue/counters/tally.ts).
 */
const ROWS_WRITTEN_PER_SETTLE = 2;

/** A call that is accepted at the first attempt, whatever runs are in it. */
export const ROWS_WRITTEN_PER_CALL: number = ROWS_WRITTEN_PER_SEAL + ROWS_WRITTEN_PER_SETTLE;

/**
 * The gate's state, with the starts of the next seconds reserved. Permits within them write nothing, and neither does a refusal
 * (gate/reserve.ts).
 */
export const ROWS_WRITTEN_PER_RESERVE = 1;

/**
 * At most: the newest minute, the newest run of each lane, the state of the segments, and the dedup tables of nine days
 * (queue/counters/tally.ts, queue/dedup/remembered-ids.ts).
 */
export const ROWS_READ_PER_FLUSH = 24;

/**
 * On top, if 25 records wait and the alarm is set for later: are they a full batch? Reads the sealed batches, and two rows for
 * each of at most 50 runs (`holdsFullBatch` in queue/ingest.ts).
 */
export const ROWS_READ_TO_SEE_IF_FULL = { batches: 12, perRun: 2, runs: 50 } as const;

/**
 * About: three looks at the sealed batches, the counts, and the batch itself (delivery/next-send.ts,
 * queue/sealed-batches.ts).
 */
export const ROWS_READ_PER_CALL = 12;

/**
 * About: three looks before the run is cut, then a read and a delete (delivery/next-send.ts,
 * queue/sealed-batches.ts).
 */
export const ROWS_READ_PER_MEMBER_RUN = 10;

/** The gate's state, whether it grants a permit or not. */
export const ROWS_READ_PER_ASK = 1;
