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

// The one door to the tracker's rooms for whoever looks at a tracker from outside.
export { resolveOptions } from './options.ts';
export { timeout } from './platform/time.ts';
export { ownFields } from './record/own-fields.ts';

/** Fields without a prototype, at every depth: what a page has put on its prototypes is not among them. */
type JsonFields = { readonly [field: string]: unknown };

/** One record that waits. */
export type InspectedRecord = {
  readonly id: string;
  readonly kind: 'user' | 'event';
  /** Of an event. */
  readonly eventName: string | undefined;
  /** Whose it is. One of the two, wherever a tracker wrote the record. */
  readonly userId: string | undefined;
  readonly anonymousId: string | undefined;
  /** When it was made, by the relay's clock. Undefined where nothing says so. */
  readonly at: number | undefined;
  /** All its other fields, as the relay gets them. Undefined where they can't be read. */
  readonly fields: JsonFields | undefined;
};

/** Why sending waits after a failure. `reason` is a tracker's `RetryReason`, or of another release. */
type InspectedPause = { readonly until: number; readonly reason: string };

/** What a tracker's database holds. All times are by the relay's clock, as far as the tracker knows it. */
export type InspectedBuffer = {
  readonly kind: 'there';
  readonly now: number;
  /** The oldest records, oldest first: at most 50. */
  readonly records: readonly InspectedRecord[];
  readonly counts: TrackerStats;
  /** When the allowance for requests is full again. Undefined: none has left yet. */
  readonly fullAt: number | undefined;
  /** Undefined where sending does not wait. */
  readonly pause: InspectedPause | undefined;
  /** The visitor's clock minus the relay's, in milliseconds. Undefined where no answer has told it. */
  readonly clockOffset: number | undefined;
};

export type Inspected = {
  readonly buffer:
    | InspectedBuffer
    /** No tracker has made one here. */
    | { readonly kind: 'missing' }
    | { readonly kind: 'unreadable'; readonly why: string };
  /** Whether the visitor has opted out, as either of the two stores has it. */
  readonly optedOut: boolean;
};

/** Reads what the trackers of one endpoint keep, and leaves it as it is: makes nothing, changes nothing, blocks nobody. */
export type TrackerInspection = {
  /** Never rejects. */
  readonly look: () => Promise<Inspected>;
  /** Closes the database. The next look opens it again. */
  readonly close: () => void;
};

/** Records listed: as many as a person reads. */
const MAX_LISTED = 50;

// A row holds up to 25 records; more rows are read only where these hold fewer than are listed.
const FEW_ROWS = 2;

// The keys of rows are numbers, the names of state are strings: strings sort after all numbers.
const ROWS = () => IDBKeyRange.upperBound('');

const { parse } = JSON;

/** @param endpoint as the tracker's settings have it */
export function inspectTracker(endpoint: string): TrackerInspection {
  const name = nameOf(endpoint);
  let connection: Promise<IDBDatabase | undefined> | undefined;

  const forget = () => {
    connection = undefined;
  };

  const close = () => {
    connection?.then((database) => database?.close()).catch(() => {}); // A failed one holds nothing.
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
      // It may come at any moment.
      forget();
      return answer({ kind: 'missing' });
    }
    try {
      // An open waits while another page removes the database, too.
      return await timeout(read(), HUNG_AFTER_MS);
    } catch (error) {
      close();
      return answer({ kind: 'unreadable', why: `${error}` });
    }
  }

  return { look, close };
}

/** The database, where there is one; `closed` tells when it is open no longer. */
async function connect(name: string, closed: () => void): Promise<IDBDatabase | undefined> {
  // Asked first, where the browser can be: even a database whose creation is aborted has been on the disk for a moment.
  const known = await indexedDB.databases?.();
  if (known?.every((each) => each.name !== name)) return undefined;
  const request = indexedDB.open(name);
  let isNew = false;
  // There is none. The tracker creates it: ours would lack its store.
  request.onupgradeneeded = () => {
    isNew = true;
    request.transaction?.abort();
  };
  // Firefox reports an error that nobody handles as the page's own.
  request.addEventListener('error', (event) => event.preventDefault());
  try {
    const database = await promisifyRequest(request);
    database.onclose = closed;
    // Another tab removes it, and would wait for us.
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
  // Where the transaction fails the rows tell: a second rejection would be the page's to hear of.
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

// Anything may lie in a site's storage: below, nothing is taken for what it should be.

const toObject = (value: unknown) => (typeof value === 'object' ? value : undefined);

function readFields(value: unknown): JsonFields {
  const fields: { readonly [field: string]: unknown } = { __proto__: null, ...toObject(value) };
  return fields;
}

/** Those of an object's own fields that are numbers. */
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
    pausedForMs({ since, until, reason: reason as RetryReason }, now, false) > 0;
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

// An array has none either: its `toJSON` may be the page's.
const withoutPrototype = (_: string, value: unknown): unknown =>
  toObject(value) ? Object.setPrototypeOf(value, null) : value;
