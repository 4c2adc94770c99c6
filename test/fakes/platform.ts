import type { Answer } from '../../src/contract/answer.ts';
import type { TrackerRecord } from '../../src/contract/record.ts';
import type { Platform } from '../../src/tracker/page/platform.ts';
import type { PageStorage } from '../../src/tracker/platform/local-storage.ts';
import type { PageLifecycle } from '../../src/tracker/platform/page-lifecycle.ts';
import { tabLock } from '../../src/tracker/platform/tab-lock.ts';
import { memoryStore } from '../../src/tracker/store/memory-store.ts';
import type { RecordStore } from '../../src/tracker/store/record-store.ts';
import { fakeChance } from './chance.ts';
import { settled } from './settled.ts';

/** Time that stands still until told to pass; timers fire as it does. */
export function fakeTime(startAt = Date.parse('2026-11-23T12:00:00Z')) {
  let at = startAt;
  // What the visitor's clock is off: it may be put right while time passes.
  let offMs = 0;
  const timers = new Set<{ readonly due: number; readonly run: () => void }>();
  return {
    now: () => at,
    wall: () => at + offMs,
    mono: () => at,
    /** Puts the visitor's clock forward, or back. */
    shift: (ms: number) => {
      offMs += ms;
    },
    timer: (run: () => void, afterMs: number) => {
      const timer = { due: at + afterMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    set: (moment: number) => {
      at = moment;
    },
    pass: async (ms: number) => {
      const until = at + ms;
      await settled();
      const nextDue = () => [...timers].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)[0];
      while (true) {
        // What goes on without time may take its turns, and then ask for more of it.
        for (let turn = 0; turn < 10 && !nextDue(); turn++) await settled();
        const next = nextDue();
        if (next === undefined) break;
        timers.delete(next);
        at = Math.max(at, next.due);
        next.run();
        await settled();
      }
      at = until;
    },
  };
}

type Reply = Response | Error | Promise<Response>;
type Request = {
  readonly url: string;
  readonly init: RequestInit;
  readonly records: readonly TrackerRecord[];
};

export function accepted(records: readonly unknown[], answer: Partial<Answer> = {}): Response {
  const body: Omit<Answer, 'now'> = {
    response: { status: 'queued' },
    accepted: records.length,
    duplicates: 0,
    rejected: [],
    repaired: [],
    ...answer,
  };
  return Response.json(body, { status: 202 });
}

/** A relay that answers as the script says, and then accepts everything. Keeps what it was sent. */
export function scriptedRelay(...script: ((records: readonly TrackerRecord[]) => Reply)[]) {
  const requests: Request[] = [];
  const fetch = async (url: string | URL | globalThis.Request, init: RequestInit = {}) => {
    const { records } = JSON.parse(String(init.body));
    requests.push({ url: String(url), init, records });
    const reply = await (script.shift() ?? accepted)(records);
    if (reply instanceof Error) throw reply;
    return reply;
  };
  return { requests, fetch: fetch as typeof globalThis.fetch };
}

/** Synchronous storage of a page, for those who are given the same map. `full`: nothing more has room. */
export function fakePageStorage(map = new Map<string, string>(), full = () => false): PageStorage {
  return {
    keys: () => [...map.keys()],
    get: (key) => map.get(key) ?? null,
    set(key, text) {
      const hasRoom = !full();
      if (hasRoom) map.set(key, text);
      else map.delete(key);
      return hasRoom;
    },
    remove: (key) => map.delete(key),
  };
}

/** What a page leaves with the browser, to be sent when it is gone. */
function fakeFetchLater() {
  const left: {
    readonly signal: AbortSignal;
    readonly records: readonly TrackerRecord[];
    readonly token?: string;
    readonly body: string;
  }[] = [];
  return {
    fetchLater: (_: string, { body, signal }: RequestInit) => {
      left.push({ signal: signal as AbortSignal, ...JSON.parse(String(body)), body: String(body) });
    },
    armed: () => left.filter(({ signal }) => !signal.aborted).map(({ records }) => records),
    bodies: () => left.flatMap(({ signal, body }) => (signal.aborted ? [] : body)),
    /** The tokens of what is armed. */
    tokens: () => left.flatMap(({ signal, token }) => (signal.aborted ? [] : (token ?? []))),
  };
}

// Of all pages of a test file: no two of them have a random id in common.
let pages = 0;

/** A browser with one tab, played: time stands still, the network is a script, storage is memory. */
export function fakePlatform({
  relay = scriptedRelay(),
  storage = memoryStore(),
  store,
  time = fakeTime(),
  degraded = false,
  pageStorage = fakePageStorage(),
  shown = Promise.resolve(),
  locks,
  fetchLater,
  sendsGpc = false,
}: {
  readonly relay?: ReturnType<typeof scriptedRelay>;
  readonly storage?: RecordStore;
  /** In place of `storage`. */
  readonly store?: Platform['store'];
  readonly time?: ReturnType<typeof fakeTime>;
  /** As where IndexedDB is missing. */
  readonly degraded?: boolean;
  readonly pageStorage?: PageStorage;
  readonly shown?: Promise<void>;
  /** As of a tab of a browser with several; without it the page is alone. */
  readonly locks?: LockManager | undefined;
  /** In place of one that keeps what it is given. Null: the browser has none. */
  readonly fetchLater?: Platform['fetchLater'] | null;
  readonly sendsGpc?: boolean;
} = {}) {
  Object.defineProperty(navigator, 'globalPrivacyControl', { value: sendsGpc, configurable: true });
  const net = fakeFetchLater();
  const page: { moments?: PageLifecycle; isClosed?: true } = {};
  const reported: unknown[] = [];
  const removed = { count: 0 };
  const platform: Platform = {
    time,
    chance: fakeChance(++pages),
    fetch: relay.fetch,
    fetchLater: fetchLater === null ? undefined : (fetchLater ?? net.fetchLater),
    pageStorage,
    activated: () => shown,
    store:
      store ??
      ((_, reportDegraded) => {
        // Not before anybody can listen.
        if (degraded) queueMicrotask(() => reportDegraded('IndexedDB is missing'));
        return storage;
      }),
    removeStore: async () => {
      removed.count += 1;
      return true;
    },
    address: () => globalThis.document?.URL,
    exclusive: (name) => tabLock(name, locks),
    watchPage: (moments) => {
      page.moments = moments;
    },
    isClosed: () => page.isClosed === true,
    askForSync: () => () => {},
    report: (error) => reported.push(error),
  };
  return { platform, time, relay, storage, page, pageStorage, net, reported, removed };
}
