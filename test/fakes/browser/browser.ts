import type { TrackerRecord } from '../../../src/contract/record.ts';
import { resolveOptions, type TrackerOptions } from '../../../src/tracker/options.ts';
import type { PageStorage } from '../../../src/tracker/platform/local-storage.ts';
import type { Timeout } from '../../../src/tracker/platform/time.ts';
import type { Call, Entry } from '../../../src/tracker/record/call.ts';
import { openDatabase } from '../../../src/tracker/store/database.ts';
import { memoryStore } from '../../../src/tracker/store/memory-store.ts';
import { recordStore } from '../../../src/tracker/store/record-store.ts';
import { startTracker } from '../../../src/tracker/tracker.ts';
import { fakePageStorage, fakePlatform, fakeTime, scriptedRelay } from '../platform.ts';
import { settled } from '../settled.ts';
import { fakeDisk } from './disk.ts';
import { fakeLocks } from './locks.ts';

export const ENDPOINT = 'https://t.example.com';

/** The name of what a tracker keeps in page storage; spills lie under it, a hash and the page's session. */
export const NAME = `webengage-relay:${ENDPOINT}`;

type PageFakes = Pick<
  NonNullable<Parameters<typeof fakePlatform>[0]>,
  'shown' | 'fetchLater' | 'pageStorage' | 'sendsGpc'
>;

/** Storage of a worker, which has none. */
const NO_PAGE_STORAGE: PageStorage = {
  keys: () => [],
  get: () => undefined,
  set: () => false,
  remove: () => {},
};

/**
 * A browser with pages that come and go, one after another or side by side: what outlives a page is shared by all.
 *
 * @param hasFallback its pages give a database up that fails or does not answer, as `browserPlatform` does
 */
export function fakeBrowser({
  relay = scriptedRelay(),
  time = fakeTime(),
  hasFallback = false,
}: {
  readonly relay?: ReturnType<typeof scriptedRelay>;
  readonly time?: ReturnType<typeof fakeTime>;
  readonly hasFallback?: boolean;
} = {}) {
  const disk = fakeDisk();
  const locks = fakeLocks();
  const map = new Map<string, string>();
  // Without the key that asks the next page for a deletion: it may stay until the next opt-out.
  const spillKeys = () =>
    [...map].flatMap(([key, text]) => (key.startsWith(`${NAME}#`) && text !== '[]' ? [key] : []));
  const spilledCalls = (): readonly Call[] => spillKeys().flatMap((key) => JSON.parse(map.get(key) ?? '[]'));

  /** `memory`: this page finds its database missing or broken. `worker`: it is no page, but a worker. */
  function open(
    options: Partial<TrackerOptions> & { readonly memory?: boolean; readonly worker?: boolean } = {},
    fakes: PageFakes = {},
  ) {
    const { memory = false, worker = false, ...settings } = options;
    const connections: ReturnType<typeof disk.connect>[] = [];
    const tab = locks.tab();
    const timers = new Set<() => void>();
    let lives = true;

    const ownTime = {
      ...time,
      timer: (run: () => void, afterMs: number) => {
        if (!lives) return () => false;
        const cancel = time.timer(run, afterMs);
        timers.add(cancel);
        return () => timers.delete(cancel) && cancel();
      },
    };
    const connect = () => {
      if (memory) throw new Error('IndexedDB is missing');
      const connection = disk.connect();
      connections.push(connection);
      return connection;
    };
    // What a dead page has sent arrives; its answer reaches nobody.
    const ownFetch = async (...request: Parameters<typeof relay.fetch>) => {
      if (!lives) return new Promise<Response>(() => {});
      const answer = relay.fetch(...request);
      return answer.finally(() => (lives ? undefined : new Promise(() => {})));
    };
    const storage = worker ? NO_PAGE_STORAGE : (fakes.pageStorage ?? fakePageStorage(map));
    const platformFakes = fakePlatform({
      relay: { ...relay, fetch: ownFetch as typeof relay.fetch },
      ...(hasFallback
        ? {
            store: (_, reportDegraded) =>
              recordStore(
                openDatabase(async () => connect().transact, timeoutBy(ownTime.timer), reportDegraded),
              ),
          }
        : { storage: memory ? memoryStore() : connect().store }),
      time: ownTime,
      degraded: memory,
      pageStorage: mortal(storage, () => lives),
      locks: tab.locks,
      ...(fakes.shown && { shown: fakes.shown }),
      ...(fakes.sendsGpc && { sendsGpc: fakes.sendsGpc }),
      ...(fakes.fetchLater !== undefined && { fetchLater: fakes.fetchLater }),
    });
    const resolved = resolveOptions({ endpoint: ENDPOINT, ...settings });
    const { platform } = platformFakes;
    // A database that does not answer can't be deleted either.
    const ownPlatform = hasFallback ? { ...platform, removeStore: async () => undefined } : platform;
    const tracker = startTracker(resolved, ownPlatform, settings.plugins);

    return {
      tracker,
      net: platformFakes.net,
      reported: platformFakes.reported,
      hide: () => platformFakes.page.moments?.hidden(),
      show: () => platformFakes.page.moments?.visible(),
      /** As the page does with `close()`. It learns later that it is hidden, or never. */
      closeWindow: () => {
        platformFakes.page.isClosed = true;
      },
      online: () => platformFakes.page.moments?.online(),
      /** Ends at once, with no moment to say anything. Of its pending writes the oldest so many are still done. */
      crash: async (written = 0) => {
        lives = false;
        for (const cancel of timers) cancel();
        tab.die();
        await Promise.all(connections.map((connection) => connection.die(written)));
      },
    };
  }

  return {
    open,
    disk,
    time,
    relay,
    map,
    spillKeys,
    spilledCalls,
    spilled: (): string[] => spilledCalls().map(nameOfCall),
    buffered: async () => (await disk.buffered()).map(nameOfCall),
    /** The names of what the relay was sent, request by request. */
    sent: () => relay.requests.map(({ records }) => records.map(nameOf)),
  };
}

/** A visitor's life goes on for as long as anything happens without time. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await settled();
}

export function nameOf(record: TrackerRecord): string {
  return record.kind === 'event' ? record.eventName : `identify ${record.userId}`;
}

/** The same of a call that lies in the database or in page storage. */
export function nameOfCall({ kind, json, userId }: Call | Entry): string {
  if (kind === 'event') return JSON.parse(`{${json}}`).eventName;
  return kind === 'user' ? `identify ${userId}` : kind;
}

export const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `e${from + index}`);

/** A timeout by the fake time. */
function timeoutBy(timer: ReturnType<typeof fakeTime>['timer']): Timeout {
  return (promise, afterMs) =>
    new Promise((resolve, reject) => {
      const cancel = timer(() => reject(new Error(`no answer in ${afterMs} ms`)), afterMs);
      promise.then(resolve, reject).finally(() => cancel());
    });
}

function mortal(storage: PageStorage, lives: () => boolean): PageStorage {
  return {
    ...storage,
    set: (key, value) => lives() && storage.set(key, value),
    remove: (key) => void (lives() && storage.remove(key)),
  };
}
