import { DurableObject } from 'cloudflare:workers';
import { answer, type Call, type Reply, type Scene } from './answer.ts';
import { nextChance } from './chance.ts';
import { type Control, type ControlOrder, controlOf } from './control.ts';
import { answerPrivacyRequest, type StoredRecord } from './portability.ts';
import { minuteBegan } from './rate.ts';
import { type Arrival, type Profiles, profilesOf } from './sdk/profiles.ts';
import type { SdkCall } from './sdk/sdk-call.ts';
import type { BulkPath, Judged } from './verdict.ts';

/** What a relay that sends here must be set to. */
export type AccountSettings = {
  readonly WEBENGAGE_API_KEY: string;
  readonly WEBENGAGE_LICENSE_CODE: string;
  readonly REQUESTS_PER_MINUTE: string;
};

/** Since the sandbox was emptied. */
export type Counts = {
  readonly calls: number;
  /** Calls by the status they were answered with. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly users: number;
  readonly events: number;
  /** Records of which something, or all, is gone without a word. */
  readonly dropped: number;
  /** Records lost because another call had their `x-request-id`. */
  readonly swallowed: number;
  /** The most calls that arrived in any 60 seconds, refused ones too. */
  readonly busiestMinute: number;
};

const MINUTE_MS = 60_000;
const IDEMPOTENT_MS = 4 * 60 * 60 * 1000;

const TABLES = `
  CREATE TABLE call (
    id INTEGER PRIMARY KEY, at INTEGER, path TEXT, status INTEGER, answeredAt INTEGER, requestId TEXT,
    records INTEGER, swallowed INTEGER
  );
  CREATE INDEX callAt ON call (at);
  CREATE TABLE arrival (at INTEGER, path TEXT);
  CREATE INDEX arrivalAt ON arrival (at);
  CREATE TABLE record (id INTEGER PRIMARY KEY, path TEXT, body TEXT, taken INTEGER, dropped TEXT);
  CREATE INDEX recordTaken ON record (taken, path);
  CREATE INDEX recordDropped ON record (id) WHERE dropped <> '[]';
  CREATE TABLE request (requestId TEXT PRIMARY KEY, at INTEGER, body TEXT);
  CREATE INDEX requestAt ON request (at);
`;

/** One account of WebEngage: what it was called with, what it took, and how it misbehaves when told to. */
export class Account extends DurableObject<AccountSettings> {
  /** A test may put a clock of its own here, and chances. */
  now: () => number = Date.now;
  random: () => number = Math.random;

  readonly #sql = this.ctx.storage.sql;
  readonly #kv = this.ctx.storage.kv;

  constructor(ctx: DurableObjectState, env: AccountSettings) {
    super(ctx, env);
    // What another version of the sandbox has kept is not worth carrying over.
    if (this.#kv.get('tables') === TABLES) return;
    for (const table of ['call', 'arrival', 'record', 'request'])
      this.#sql.exec(`DROP TABLE IF EXISTS ${table}`);
    this.#sql.exec(TABLES);
    this.#kv.put('tables', TABLES);
    this.#kv.delete('control');
  }

  /** Answers a call at once: what is to be waited for stands in the reply. */
  call(call: Call): Reply {
    const control = this.control();
    const scene = this.#scene(control, call);
    const { reply, sent, records, settlesId, swallowed } = answer(control, call, scene);

    const { path, requestId, body } = call;
    const { now } = scene;
    this.#sql.exec('INSERT INTO arrival VALUES (?, ?)', now, path);
    this.#sql.exec(
      'INSERT INTO call (at, path, status, answeredAt, requestId, records, swallowed) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[now, path, reply.status, now + reply.delayMs, requestId, sent, swallowed],
    );
    if (settlesId && requestId !== '')
      this.#sql.exec('INSERT INTO request VALUES (?, ?, ?)', requestId, now, body);
    this.#keep(path, records);
    return reply;
  }

  /** Answers with what is stored of one user, or erases it. It counts against no limit, and among no calls. */
  privacyRequest(call: Call): Reply {
    const control = this.control();
    return answerPrivacyRequest(control, call, this.#scene(control, call), {
      recordsOf: (userId) => this.#recordsOf(userId),
      erase: (userId) => void this.#sql.exec("DELETE FROM record WHERE body ->> 'userId' = ?", userId),
    });
  }

  records(): { users: object[]; events: object[] } {
    const of = (path: BulkPath) =>
      this.#sql
        .exec<{ body: string }>('SELECT body FROM record WHERE taken = 1 AND path = ? ORDER BY id', path)
        .toArray()
        .map(({ body }) => JSON.parse(body));
    return { users: of('bulk-users'), events: of('bulk-events') };
  }

  /** Keeps what the SDK says, among the records: profiles depend on the order of both. */
  hearSdk(call: SdkCall): void {
    this.#sql.exec(
      `INSERT INTO record (path, body, taken, dropped) VALUES ('sdk', ?, 0, '[]')`,
      JSON.stringify(call),
    );
  }

  /** The people that the dashboard would show. */
  profiles(): Profiles {
    const arrivals = this.#sql
      .exec<{ path: string; body: string }>(
        `SELECT path, body FROM record WHERE taken = 1 OR path = 'sdk' ORDER BY id`,
      )
      .toArray()
      .map(
        ({ path, body }): Arrival =>
          path === 'sdk'
            ? { from: 'sdk', call: JSON.parse(body) }
            : { from: 'rest', record: JSON.parse(body) },
      );
    return profilesOf(arrivals, this.control());
  }

  /** Every call. `status` 0: it waits for its answer. `records`: how many it brought, taken or not. */
  calls(): object[] {
    return this.#sql
      .exec(
        `SELECT at, path, CASE WHEN answeredAt > ? THEN 0 ELSE status END AS status, requestId, records
          FROM call ORDER BY id`,
        this.now(),
      )
      .toArray();
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

  /** Cheap however much there is: no record is read. */
  counts(): Counts {
    const count = (query: string, ...bound: SqlStorageValue[]) =>
      this.#sql.exec<{ n: number | null }>(query, ...bound).one().n ?? 0;
    const taken = 'SELECT COUNT(*) AS n FROM record WHERE taken = 1 AND path = ?';
    const statuses = this.#sql
      .exec<{ status: number; n: number }>('SELECT status, COUNT(*) AS n FROM call GROUP BY status')
      .toArray();
    return {
      calls: count('SELECT COUNT(*) AS n FROM call'),
      statuses: Object.fromEntries(statuses.map(({ status, n }) => [status, n])),
      users: count(taken, 'bulk-users'),
      events: count(taken, 'bulk-events'),
      dropped: count(`SELECT COUNT(*) AS n FROM record WHERE dropped <> '[]'`),
      swallowed: count('SELECT SUM(swallowed) AS n FROM call'),
      busiestMinute: count(
        `SELECT MAX(n) AS n FROM (SELECT COUNT(*) OVER (
          ORDER BY at RANGE BETWEEN ${MINUTE_MS - 1} PRECEDING AND CURRENT ROW) AS n FROM call)`,
      ),
    };
  }

  control(): Control {
    return this.#kv.get<Control>('control') ?? controlOf({});
  }

  /** Replaces what was ordered before: what is left out is as it should be. */
  setControl(order: ControlOrder): Control {
    const control = controlOf(order);
    this.#kv.put('control', control);
    this.#kv.delete('chance');
    return control;
  }

  empty(): void {
    this.#sql.exec('DELETE FROM record; DELETE FROM call;');
  }

  #scene({ faults, seed, limit, minute }: Control, { path, requestId }: Call): Scene {
    const now = this.now();
    return {
      now,
      chance: faults.length === 0 ? 0 : this.#draw(seed),
      key: this.env.WEBENGAGE_API_KEY,
      license: this.env.WEBENGAGE_LICENSE_CODE,
      requestsPerMinute: Number(this.env.REQUESTS_PER_MINUTE),
      arrivals: this.#arrivals(minuteBegan(minute, now), now, limit === 'shared' ? '%' : path),
      bodyBefore: this.#bodyBefore(requestId, now),
    };
  }

  #draw(seed: number | undefined): number {
    if (seed === undefined) return this.random();
    // In storage, so that the sequence goes on where an evicted object has left it.
    const { chance, state } = nextChance(this.#kv.get<number>('chance') ?? seed);
    this.#kv.put('chance', state);
    return chance;
  }

  /** Calls that have arrived since, refused ones too: that is what the limit counts. What is emptied still counts. */
  #arrivals(since: number, now: number, path: string): number {
    this.#sql.exec('DELETE FROM arrival WHERE at <= ?', now - MINUTE_MS);
    return this.#sql
      .exec<{ n: number }>('SELECT COUNT(*) AS n FROM arrival WHERE at > ? AND path LIKE ?', since, path)
      .one().n;
  }

  /** What came under this id within 4 hours. */
  #bodyBefore(requestId: string, now: number): string | undefined {
    this.#sql.exec('DELETE FROM request WHERE at < ?', now - IDEMPOTENT_MS);
    return this.#sql
      .exec<{ body: string }>('SELECT body FROM request WHERE requestId = ?', requestId)
      .toArray()[0]?.body;
  }

  #recordsOf(userId: string): StoredRecord[] {
    return this.#sql
      .exec<{ path: BulkPath; body: string; dropped: string }>(
        `SELECT path, body, dropped FROM record WHERE taken = 1 AND body ->> 'userId' = ? ORDER BY id`,
        userId,
      )
      .toArray()
      .map(({ path, body, dropped }) => ({
        path,
        record: JSON.parse(body),
        dropped: JSON.parse(dropped),
      }));
  }

  #keep(path: string, records: readonly Judged[]): void {
    for (const { record, taken, dropped } of records)
      this.#sql.exec(
        'INSERT INTO record (path, body, taken, dropped) VALUES (?, ?, ?, ?)',
        path,
        JSON.stringify(record),
        Number(taken),
        JSON.stringify(dropped),
      );
  }
}
