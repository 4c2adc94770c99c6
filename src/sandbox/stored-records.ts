import type { StoredRecord } from './portability.ts';
import type { Arrival } from './sdk/profiles.ts';
import type { SdkCall } from './sdk/sdk-call.ts';
import type { BulkPath, Judged } from './verdict.ts';

/** The table of `storedRecords`. */
export const RECORD_TABLE = `
  CREATE TABLE record (id INTEGER PRIMARY KEY, path TEXT, body TEXT, taken INTEGER, dropped TEXT);
  CREATE INDEX recordTaken ON record (taken, path);
  CREATE INDEX recordDropped ON record (id) WHERE dropped <> '[]';
`;

/** The account's records, in the order of their arrival. */
export type StoredRecords = {
  readonly keep: (path: string, records: readonly Judged[]) => void;
  /** Keeps a call of the SDK among the records: profiles depend on the order of both. */
  readonly keepSdkCall: (call: SdkCall) => void;
  readonly taken: (path: BulkPath) => object[];
  /** Records that the real WebEngage would have taken and then not shown, with the reasons. */
  readonly dropped: () => object[];
  /** What profiles are made of. */
  readonly arrivals: () => Arrival[];
  readonly recordsOf: (userId: string) => StoredRecord[];
  readonly erase: (userId: string) => void;
};

export function storedRecords(sql: SqlStorage): StoredRecords {
  const insert = (path: string, body: object, taken: boolean, dropped: readonly object[]) =>
    void sql.exec(
      'INSERT INTO record (path, body, taken, dropped) VALUES (?, ?, ?, ?)',
      path,
      JSON.stringify(body),
      Number(taken),
      JSON.stringify(dropped),
    );
  return {
    keep: (path, records) => {
      for (const { record, taken, dropped } of records) insert(path, record, taken, dropped);
    },
    keepSdkCall: (call) => insert('sdk', call, false, []),
    taken: (path) =>
      sql
        .exec<{ body: string }>('SELECT body FROM record WHERE taken = 1 AND path = ? ORDER BY id', path)
        .toArray()
        .map(({ body }) => JSON.parse(body)),
    dropped: () =>
      sql
        .exec<{ body: string; dropped: string }>(
          `SELECT body, dropped FROM record WHERE dropped <> '[]' ORDER BY id`,
        )
        .toArray()
        .map(({ body, dropped }) => ({ record: JSON.parse(body), issues: JSON.parse(dropped) })),
    arrivals: () =>
      sql
        .exec<{ path: string; body: string }>(
          `SELECT path, body FROM record WHERE taken = 1 OR path = 'sdk' ORDER BY id`,
        )
        .toArray()
        .map(({ path, body }) =>
          path === 'sdk'
            ? { from: 'sdk', call: JSON.parse(body) }
            : { from: 'rest', record: JSON.parse(body) },
        ),
    recordsOf: (userId) =>
      sql
        .exec<{ path: BulkPath; body: string; dropped: string }>(
          `SELECT path, body, dropped FROM record WHERE taken = 1 AND body ->> 'userId' = ? ORDER BY id`,
          userId,
        )
        .toArray()
        .map(({ path, body, dropped }) => ({
          path,
          record: JSON.parse(body),
          dropped: JSON.parse(dropped),
        })),
    erase: (userId) => void sql.exec("DELETE FROM record WHERE body ->> 'userId' = ?", userId),
  };
}
