import { promisifyRequest } from 'idb-keyval';
import { PACE } from '../tracker/delivery/send-rate.ts';
import { timeout } from '../tracker/engine/platform.ts';
import { STORE } from '../tracker/store/database.ts';
import { HUNG_AFTER_MS } from '../tracker/store/fallback-store.ts';
import { COUNTS, type Entry } from '../tracker/store/record-store.ts';

/** What lies in a tracker's database. `oldest`: its oldest records, oldest first; `pace` and `counts` as they are kept. */
export type Found =
  | {
      readonly kind: 'there';
      readonly oldest: readonly Entry[];
      readonly pace: unknown;
      readonly counts: unknown;
    }
  /** No tracker has made one here, or an opt-out has removed it. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly why: string };

/** Looks into a tracker's database and leaves it as it is: makes none, changes none, and stands in nobody's way. */
export type Peek = {
  /** Never rejects. */
  readonly look: () => Promise<Found>;
  /** Lets go of the database. The next look opens it again. */
  readonly close: () => void;
};

/** Records that are looked at: as many as a person does. */
const MAX_LISTED = 50;

// The rows' keys are numbers, the names of state are strings: strings sort after all numbers.
const ROWS = () => IDBKeyRange.upperBound('');

// One waits while another page removes the database, too.
const HUNG: Found = { kind: 'unreadable', why: `no answer in ${HUNG_AFTER_MS / 1000} s` };

export function peekInto(name: string): Peek {
  let connection: Promise<IDBDatabase | undefined> | undefined;

  async function connect(): Promise<IDBDatabase | undefined> {
    // Asked first, where it can be: even a database that is given up at once has lain on the disk for a moment.
    const known = await indexedDB.databases?.();
    if (known?.every((each) => each.name !== name)) return undefined;
    const request = indexedDB.open(name);
    let isNew = false;
    // Not there. It is the tracker's to create: ours would lack what it puts in.
    request.onupgradeneeded = () => {
      isNew = true;
      request.transaction?.abort();
    };
    // Firefox takes what nobody has seen to for the page's own error.
    request.addEventListener('error', (event) => event.preventDefault());
    try {
      const database = await promisifyRequest(request);
      database.onclose = forget;
      // Another tab removes it: standing in its way would block it for ever.
      database.onversionchange = () => {
        database.close();
        forget();
      };
      return database;
    } catch (error) {
      if (isNew) return undefined;
      throw error;
    }
  }

  function forget(): void {
    connection = undefined;
  }

  async function read(database: IDBDatabase): Promise<Found> {
    const store = database.transaction(STORE).objectStore(STORE);
    const state = Promise.all([PACE, COUNTS].map((key) => promisifyRequest<unknown>(store.get(key))));
    // Where all of it fails the rows tell: nobody else sees to this one, and the page would be told of it.
    state.catch(() => {});
    const oldest: Entry[] = [];
    const rows = store.openCursor(ROWS());
    let row = await promisifyRequest(rows);
    while (row && oldest.length < MAX_LISTED) {
      // Written by the tracker, which alone writes here.
      oldest.push(...(row.value as readonly Entry[]));
      row.continue();
      row = await promisifyRequest(rows);
    }
    const [pace, counts] = await state;
    return { kind: 'there', oldest: oldest.slice(0, MAX_LISTED), pace, counts };
  }

  async function look(): Promise<Found> {
    try {
      connection ??= connect();
      const database = await connection;
      if (database) return await read(database);
      // It may come at any moment.
      forget();
      return { kind: 'missing' };
    } catch (error) {
      close();
      return { kind: 'unreadable', why: String(error) };
    }
  }

  function close(): void {
    connection?.then((database) => database?.close()).catch(() => {}); // One that failed holds nothing.
    forget();
  }

  return { look: () => timeout(look(), HUNG_AFTER_MS).catch(() => HUNG), close };
}
