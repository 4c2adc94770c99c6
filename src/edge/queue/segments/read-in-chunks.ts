const ROWS_IN_CHUNK = 50;

/**
 * Reads rows in the order of a number, a few at a time and only as far as they are needed. A cursor that is left before
 * its end would lock the tables against being dropped.
 *
 * @param read the next rows after a number, at most `limit`
 */
export function* readInChunks<Row>(
  after: number,
  numberOf: (row: Row) => number,
  read: (after: number, limit: number) => readonly Row[],
): Generator<Row> {
  for (let last = after; ; ) {
    const rows = read(last, ROWS_IN_CHUNK);
    for (const row of rows) {
      yield row;
      last = numberOf(row);
    }
    if (rows.length < ROWS_IN_CHUNK) return;
  }
}
