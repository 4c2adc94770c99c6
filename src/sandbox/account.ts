import { DurableObject } from 'cloudflare:workers';
import { answer, type Call, type Reply, type Scene } from './answer.ts';
import { nextChance } from './chance.ts';
import { type Control, type ControlOrder, controlOf } from './control.ts';
import { answerPrivacyRequest } from './portability.ts';
import { minuteBegan } from './rate.ts';
import { type Profiles, profilesOf } from './sdk/profiles.ts';
import type { SdkCall } from './sdk/sdk-call.ts';
import { RECORD_TABLE, storedRecords } from './stored-records.ts';

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
  /** Records that were dropped silently, in part or as a whole. */
  readonly dropped: number;
  /** Records lost because another call had their `x-request-id`. */
  readonly swallowed: number;
  /** The most calls that arrived in any 60 seconds, refused ones too. */
  readonly busiestMinute: number;
};

const MINUTE_MS = 60_000;
const IDEMPOTENT_MS = 4 * 60 * 60 * 1000;

const TABLES = `
  ${RECORD_TABLE}
  CREATE TABLE call (
    id INTEGER PRIMARY KEY, at INTEGER, path TEXT, status INTEGER, answeredAt INTEGER, requestId TEXT,
    records INTEGER, swallowed INTEGER
  );
  CREATE INDEX callAt ON call (at);
  CREATE TABLE arrival (at INTEGER, path TEXT);
  CREATE INDEX arrivalAt ON arrival (at);
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
  readonly #records = storedRecords(this.#sql);

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

  /** Answers a call at once. The reply says how long its sender must delay it. */
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
    this.#records.keep(path, records);
    return reply;
  }

  /** Answers with one user's data, or erases it. Counts against no limit, and not as a call. */
  privacyRequest(call: Call): Reply {
    const control = this.control();
    return answerPrivacyRequest(control, call, this.#scene(control, call), this.#records);
  }

  records(): { users: object[]; events: object[] } {
    return { users: this.#records.taken('bulk-users'), events: this.#records.taken('bulk-events') };
  }

  hearSdk(call: SdkCall): void {
    this.#records.keepSdkCall(call);
  }

  /** The people that the dashboard would show. */
  profiles(): Profiles {
    return profilesOf(this.#records.arrivals(), this.control());
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

  dropped(): object[] {
    return this.#records.dropped();
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

  /** Replaces the earlier order. A setting that is left out gets its default. */
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

  /** Calls since then, refused ones included, as the limit counts them. Emptying the sandbox does not reset that. */
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
}
