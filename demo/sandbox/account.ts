import { DurableObject } from 'cloudflare:workers';
import { type Control, NO_FAULT } from './control.ts';
import { type BulkPath, type Judged, judge } from './verdict.ts';

/** What a relay that sends here must be set to. */
export type AccountSettings = {
  readonly WEBENGAGE_API_KEY: string;
  readonly WEBENGAGE_LICENSE_CODE: string;
  readonly REQUESTS_PER_MINUTE: string;
};

export type Call = {
  readonly license: string;
  readonly path: string;
  readonly authorization: string;
  readonly requestId: string;
  readonly body: string;
};

export type Reply = {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The answer breaks off. */
  readonly cut: boolean;
};

const WINDOW_MS = 60_000;
const IDEMPOTENT_MS = 4 * 60 * 60 * 1000;

/** One account of WebEngage: what it was called with, what it took, and how it misbehaves when told to. */
export class Account extends DurableObject<AccountSettings> {
  readonly #sql = this.ctx.storage.sql;

  constructor(ctx: DurableObjectState, env: AccountSettings) {
    super(ctx, env);
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS call (
        id INTEGER PRIMARY KEY, at INTEGER, path TEXT, status INTEGER, requestId TEXT, records INTEGER
      );
      CREATE TABLE IF NOT EXISTS arrival (at INTEGER);
      CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY, path TEXT, body TEXT, dropped TEXT);
      CREATE TABLE IF NOT EXISTS request (requestId TEXT PRIMARY KEY, at INTEGER, body TEXT);
    `);
  }

  async call({ license, path, authorization, requestId, body }: Call): Promise<Reply> {
    const { fault, delayMs, success, idempotency } = this.control();
    const verdict = judge(path as BulkPath, body);
    const used = this.#arrivals(Date.now());
    const limit = Number(this.env.REQUESTS_PER_MINUTE);
    const id = this.#arrive(path, requestId, verdict.ok ? verdict.records.length : 0);

    const answer = (status: number, message?: string, cut = false): Reply => {
      this.#sql.exec('UPDATE call SET status = ? WHERE id = ?', status, id);
      const response = message === undefined ? { status: 'queued' } : { message, status: 'error' };
      const headers = {
        'X-RateLimit-Limit': String(limit),
        'X-RateLimit-Remaining': String(Math.max(0, limit - used - 1)),
      };
      return { status, body: JSON.stringify({ response }), headers, cut };
    };

    if (fault === 'down') return answer(503, 'Error: service unavailable, as ordered.');
    if (fault === '429' || used >= limit) return answer(429, 'Error: rate limit exceeded.');
    if (authorization !== `Bearer ${this.env.WEBENGAGE_API_KEY}`) return answer(401, 'Error: unauthorized.');
    if (license !== this.env.WEBENGAGE_LICENSE_CODE) return answer(404, 'Error: no such account.');
    if (!verdict.ok) return answer(400, verdict.message);

    const before = this.#bodyBefore(requestId, body);
    // The real one would take the other records for a double, and lose them: nobody may send that.
    if (before !== undefined && before !== body)
      return answer(400, 'Error: x-request-id was used for other records.');
    if (idempotency === 'ignored' || before === undefined) this.#take(path, verdict.records);
    if (fault === 'slow') await scheduler.wait(delayMs);
    return fault === 'cut' ? answer(502, 'never read', true) : answer(success);
  }

  records(): { users: object[]; events: object[] } {
    const of = (path: BulkPath) =>
      this.#sql
        .exec<{ body: string }>('SELECT body FROM record WHERE path = ? ORDER BY id', path)
        .toArray()
        .map(({ body }) => JSON.parse(body));
    return { users: of('bulk-users'), events: of('bulk-events') };
  }

  calls(): object[] {
    return this.#sql.exec('SELECT at, path, status, requestId, records FROM call ORDER BY id').toArray();
  }

  /** The records that the real WebEngage would have taken and then not shown, with the reasons. */
  dropped(): object[] {
    return this.#sql
      .exec<{ body: string; dropped: string }>(
        `SELECT body, dropped FROM record WHERE dropped <> '[]' ORDER BY id`,
      )
      .toArray()
      .map(({ body, dropped }) => ({ record: JSON.parse(body), issues: JSON.parse(dropped) }));
  }

  control(): Control {
    return this.ctx.storage.kv.get<Control>('control') ?? NO_FAULT;
  }

  setControl(control: Control): Control {
    this.ctx.storage.kv.put('control', control);
    return control;
  }

  empty(): void {
    this.#sql.exec('DELETE FROM record; DELETE FROM call;');
  }

  /** Calls that have arrived in the 60 seconds before this one, refused ones too; what is emptied still counts. */
  #arrivals(now: number): number {
    this.#sql.exec('DELETE FROM arrival WHERE at <= ?', now - WINDOW_MS);
    return this.#sql.exec<{ arrivals: number }>('SELECT COUNT(*) AS arrivals FROM arrival').one().arrivals;
  }

  /** Written down on arrival, be it answered or not: that is what the limit counts. */
  #arrive(path: string, requestId: string, records: number): number {
    const now = Date.now();
    this.#sql.exec('INSERT INTO arrival VALUES (?)', now);
    return this.#sql
      .exec<{ id: number }>(
        'INSERT INTO call (at, path, status, requestId, records) VALUES (?, ?, 0, ?, ?) RETURNING id',
        now,
        path,
        requestId,
        records,
      )
      .one().id;
  }

  /** What came under this id within 4 hours; if nothing, then from now on this. */
  #bodyBefore(requestId: string, body: string): string | undefined {
    const now = Date.now();
    this.#sql.exec('DELETE FROM request WHERE at < ?', now - IDEMPOTENT_MS);
    if (requestId === '') return undefined;
    const [known] = this.#sql
      .exec<{ body: string }>('SELECT body FROM request WHERE requestId = ?', requestId)
      .toArray();
    if (known === undefined) this.#sql.exec('INSERT INTO request VALUES (?, ?, ?)', requestId, now, body);
    return known?.body;
  }

  #take(path: string, records: readonly Judged[]): void {
    for (const { record, dropped } of records)
      this.#sql.exec(
        'INSERT INTO record (path, body, dropped) VALUES (?, ?, ?)',
        path,
        JSON.stringify(record),
        JSON.stringify(dropped),
      );
  }
}
