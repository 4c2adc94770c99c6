import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const DAYS = 8;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Gives the outboxes of a stopped Worker dedup tables for the last eight days, so that each flush looks up
 * nine days. Each outbox must have stored a record today.
 *
 * @param directory the Worker's directory, as in `startWorkerd`
 * @param pageLoads rows for each day
 */
export function ageOutboxes(directory: string, pageLoads: number): void {
  const folder = join(directory, 'storage', 'Outbox');
  const today = Math.floor(Date.now() / DAY_MS);
  const files = readdirSync(folder).filter((name) => name.endsWith('.sqlite'));
  for (const file of files) {
    const database = new DatabaseSync(join(folder, file));
    const table = database.prepare('SELECT sql FROM sqlite_master WHERE name = ?').get(`seen_${today}`);
    // An outbox that got no record has no table for today.
    for (let day = today - DAYS; table !== undefined && day < today; day += 1) {
      database.exec(String(table.sql).replace(`seen_${today}`, `seen_${day}`));
      database
        .prepare(
          `WITH RECURSIVE load(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM load WHERE n < ?)
           INSERT INTO seen_${day} (device, session, part, seqs)
           SELECT hex(randomblob(18)), hex(randomblob(11)), 0, '1-25' FROM load`,
        )
        .run(pageLoads);
    }
    database.close();
  }
}
