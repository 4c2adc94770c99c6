import { promisifyRequest } from 'idb-keyval';
import { pausedForMs, SEND_RATE } from './delivery/send-rate.ts';
import { nameOf } from './page/settings.ts';
import { markedChoices } from './page/visitor-state.ts';
import { localPageStorage } from './platform/local-storage.ts';
import { timeout } from './platform/time.ts';
import { tryOrUndefined } from './platform/try-or-undefined.ts';
import type { RetryReason } from './record/outcome.ts';
import { ownFields } from './record/own-fields.ts';
import { isOut } from './record/visitor.ts';
import { HUNG_AFTER_MS, STORE } from './store/database.ts';
import { COUNTS, VISITOR } from './store/record-store.ts';
import { statsOf, type TrackerStats } from './store/stats.ts';

// The only entry point for code that looks at a tracker from outside.
export { resolveOptions } from './options.ts';
export { timeout } from './platform/time.ts';
export { ownFields } from './record/own-fields.ts';

/** Fields without a prototype, at every depth: additions to the page's own prototypes are not among them. */
type JsonFields = { readonly [field: string]: unknown };

/** One record in the buffer. */
export type InspectedRecord = {
  readonly id: string;
  readonly kind: 'user' | 'event';
  /** Undefined for a `user` record. */
  readonly eventName: string | undefined;
  /** Whose record it is. A tracker always writes one of the two. */
  readonly userId: string | undefined;
  readonly anonymousId: string | undefined;
  /** When it was made, by the relay's clock. Undefined if it is unknown. */
  readonly at: number | undefined;
  /** The fields of the event or the user, as the relay gets them. Undefined if they can't be read. */
  readonly fields: JsonFields | undefined;
};

/** Why sending waits after a failure. `reason` is a tracker's `RetryReason`, perhaps of another release. */
type InspectedPause = { readonly until: number; readonly reason: string };

/**
 * The contents of a tracker's database. All times are by the relay's clock, as far as the tracker knows it.
 */
export type InspectedBuffer = {
  readonly kind: 'there';
  readonly now: number;
  /** The oldest records, oldest first: at most 50. */
  readonly records: readonly InspectedRecord[];
  readonly counts: TrackerStats;
  /** When the allowance for requests is full again. Undefined if no request has been sent yet. */
  readonly fullAt: number | undefined;
  /** Undefined if sending is not paused. */
  readonly pause: InspectedPause | undefined;
  /** The visitor's clock minus the relay's, in milliseconds. Undefined if no response has set it. */
  readonly clockOffset: number | undefined;
};

export type Inspected = {
  readonly buffer:
    | InspectedBuffer
    /** No tracker has created a database here. */
    | { readonly kind: 'missing' }
    | { readonly kind: 'unreadable'; readonly why: string };
  /** Whether the visitor has opted out, by the later choice in either of the two stores. */
  readonly optedOut: boolean;
};

/** Reads what the trackers of one endpoint have stored. Creates nothing, changes nothing, blocks no one. */
export type TrackerInspection = {
  /** Never rejects. */
  readonly look: () => Promise<Inspected>;
  /** Closes the database. The next look opens it again. */
  readonly close: () => void;
};

/** How many records are listed: as many as a person reads. */
const MAX_LISTED = 50;

// A row holds up to 25 records. More rows are read only if these hold too few to list.
const FEW_ROWS = 2;

// Rows have numbers as keys, and state has strings, which sort after all numbers.
const ROWS = () => IDBKeyRange.upperBound('');

const { parse } = JSON;

/** @param endpoint as in the tracker's settings */
export function inspectTracker(endpoint: string): TrackerInspection {
  const name = nameOf(endpoint);
  let connection: Promise<IDBDatabase | undefined> | undefined;

  const forget = () => {
    connection = undefined;
  };

  const close = () => {
    connection?.then((database) => database?.close()).catch(() => {}); // A failed connection holds nothing.
    forget();
  };

  async function look(): Promise<Inspected> {
    const choices = markedChoices({ pageStorage: localPageStorage, endpointName: name });
    const answer = (buffer: Inspected['buffer'], kept = 0) => ({
      buffer,
      // The later choice counts, whichever store has it.
      optedOut: isOut({ choices: Math.max(choices, kept) }),
    });
    async function read(): Promise<Inspected> {
      connection ??= connect(name, forget);
      const database = await connection;
      if (database) {
        const kept = await readDatabase(database);
        return answer(kept.buffer, kept.choices);
      }
      // A tracker may create it at any moment.
      forget();
      return answer({ kind: 'missing' });
    }
    try {
      // Opening also hangs while another page deletes the database.
      return await timeout(read(), HUNG_AFTER_MS);
    } catch (error) {
      close();
      return answer({ kind: 'unreadable', why: `${error}` });
    }
  }

  return { look, close };
}

/** Opens the database, if there is one. `closed` is called when the connection is closed. */
async function connect(name: string, closed: () => void): Promise<IDBDatabase | undefined> {
  // Asked first, if the browser can answer: even a database whose creation is aborted was on
  // disk for a moment.
  const known = await indexedDB.databases?.();
  if (known?.every((each) => each.name !== name)) return undefined;
  const request = indexedDB.open(name);
  let isNew = false;
  // There is no database. The tracker must create it: ours would lack its object store.
  request.onupgradeneeded = () => {
    isNew = true;
    request.transaction?.abort();
  };
  // Firefox reports an unhandled error event as an error of the page.
  request.addEventListener('error', (event) => event.preventDefault());
  try {
    const database = await promisifyRequest(request);
    database.onclose = closed;
    // Another tab deletes the database, and would wait for this connection.
    database.onversionchange = () => {
      database.close();
      closed();
    };
    return database;
  } catch (error) {
    if (isNew) return undefined;
    throw error;
  }
}

async function readDatabase(database: IDBDatabase) {
  const store = database.transaction(STORE).objectStore(STORE);
  const get = (key: string) => promisifyRequest<unknown>(store.get(key));
  const state = Promise.all([get(VISITOR), get(COUNTS), get(SEND_RATE)]);
  // If the transaction fails, reading the rows reports it. A second rejection would be unhandled.
  state.catch(() => {});
  let rows: readonly unknown[] = await promisifyRequest(store.getAll(ROWS(), FEW_ROWS));
  let records = rows.flatMap(readRow);
  if (rows.length === FEW_ROWS && records.length < MAX_LISTED) {
    rows = await promisifyRequest(store.getAll(ROWS(), MAX_LISTED));
    records = rows.flatMap(readRow);
  }
  const [visitor, counts, rate] = await state;

  const { choices, clockOffset } = readNumbers(visitor);
  const now = Date.now() - (clockOffset ?? 0);
  const buffer: InspectedBuffer = {
    kind: 'there',
    now,
    records: records.slice(0, MAX_LISTED),
    counts: statsOf(readNumbers(counts)),
    ...readRate(rate, now),
    clockOffset,
  };
  return { buffer, choices };
}

// A site's storage can hold anything: the code below trusts no value to have its type.

const toObject = (value: unknown) => (typeof value === 'object' ? value : undefined);

function readFields(value: unknown): JsonFields {
  const fields: { readonly [field: string]: unknown } = { __proto__: null, ...toObject(value) };
  return fields;
}

/** The own fields of an object that are finite numbers. */
function readNumbers(value: unknown): { readonly [field: string]: number | undefined } {
  const isNumber = (field: readonly [string, unknown]): field is [string, number] =>
    Number.isFinite(field[1]);
  return ownFields(Object.fromEntries(Object.entries(readFields(value)).filter(isNumber)));
}

function readRate(value: unknown, now: number): Pick<InspectedBuffer, 'fullAt' | 'pause'> {
  const { pause } = readFields(value);
  const { since, until } = readNumbers(pause);
  const reason = `${readFields(pause).reason}`;
  const holds =
    since !== undefined &&
    until !== undefined &&
    pausedForMs({ since, until, reason: reason as RetryReason }, now) > 0;
  return { fullAt: readNumbers(value).fullAt, pause: holds ? { until, reason } : undefined };
}

function readRow(row: unknown): readonly InspectedRecord[] {
  return Array.isArray(row) ? row.flatMap(readEntry) : [];
}

function readEntry(entry: unknown): readonly InspectedRecord[] {
  const { id, kind, json, userId, anonymousId } = readFields(entry);
  if (typeof id !== 'string' || (kind !== 'user' && kind !== 'event')) return [];
  const { at, wall } = readNumbers(entry);
  const fields = tryOrUndefined(() => readFields(parse(`{${json}}`, withoutPrototype)));
  return [
    {
      id,
      kind,
      eventName: toText(fields?.eventName),
      userId: toText(userId),
      anonymousId: toText(anonymousId),
      at: at ?? wall,
      fields,
    },
  ];
}

const toText = (value: unknown) => (typeof value === 'string' ? value : undefined);

// Arrays lose their prototype too: its `toJSON` may be the page's.
const withoutPrototype = (_: string, value: unknown): unknown =>
  toObject(value) ? Object.setPrototypeOf(value, null) : value;
