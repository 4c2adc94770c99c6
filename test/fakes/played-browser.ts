import type { TrackerRecord } from '../../src/contract/record.ts';
import { resolveOptions, type TrackerOptions } from '../../src/tracker/options.ts';
import type { PageStorage } from '../../src/tracker/platform/local-storage.ts';
import type { Call } from '../../src/tracker/record/call.ts';
import { memoryStore } from '../../src/tracker/store/memory-store.ts';
import { startTracker } from '../../src/tracker/tracker.ts';
import { fakePageStorage, fakePlatform, fakeTime, scriptedRelay } from './platform.ts';
import { playedDisk } from './played-disk.ts';
import { playedLocks } from './played-locks.ts';
import { settled } from './settled.ts';

export const ENDPOINT = 'https://t.example.com';

/** The name of what a tracker keeps in page storage; spills lie under it, a colon and the page's session. */
export const NAME = `webengage-relay:${ENDPOINT}`;

type PageFakes = Pick<
  NonNullable<Parameters<typeof fakePlatform>[0]>,
  'shown' | 'fetchLater' | 'pageStorage'
>;

/** A browser with pages that come and go, one after another or side by side: what outlives a page is shared by all. */
export function playedBrowser({
  relay = scriptedRelay(),
  time = fakeTime(),
}: {
  readonly relay?: ReturnType<typeof scriptedRelay>;
  readonly time?: ReturnType<typeof fakeTime>;
} = {}) {
  const disk = playedDisk();
  const locks = playedLocks();
  const map = new Map<string, string>();
  const spillKeys = () => [...map.keys()].filter((key) => key.startsWith(`${NAME}#`));

  /** `memory`: this page finds its database missing or broken. */
  function open(
    options: Partial<TrackerOptions> & { readonly memory?: boolean } = {},
    fakes: PageFakes = {},
  ) {
    const { memory = false, ...settings } = options;
    const connection = disk.connect();
    const tab = locks.tab();
    const timers = new Set<() => void>();
    let lives = true;

    const ownTime = {
      ...time,
      timer: (run: () => void, afterMs: number) => {
        const cancel = time.timer(run, afterMs);
        timers.add(cancel);
        return () => timers.delete(cancel) && cancel();
      },
    };
    // What a dead page has sent arrives; its answer reaches nobody.
    const ownFetch = async (...request: Parameters<typeof relay.fetch>) => {
      if (!lives) return new Promise<Response>(() => {});
      const answer = relay.fetch(...request);
      return answer.finally(() => (lives ? undefined : new Promise(() => {})));
    };
    const played = fakePlatform({
      relay: { ...relay, fetch: ownFetch as typeof relay.fetch },
      storage: memory ? memoryStore() : connection.storage,
      time: ownTime,
      degraded: memory,
      pageStorage: mortal(fakes.pageStorage ?? fakePageStorage(map), () => lives),
      locks: tab.locks,
      ...(fakes.shown && { shown: fakes.shown }),
      ...(fakes.fetchLater !== undefined && { fetchLater: fakes.fetchLater }),
    });
    const tracker = startTracker(resolveOptions({ endpoint: ENDPOINT, ...settings }), played.platform);

    return {
      tracker,
      net: played.net,
      reported: played.reported,
      hide: () => played.page.moments?.hidden(),
      show: () => played.page.moments?.visible(),
      online: () => played.page.moments?.online(),
      /** Ends at once, with no moment to say anything. Of its pending writes the oldest so many are still done. */
      crash: async (written = 0) => {
        lives = false;
        for (const cancel of timers) cancel();
        tab.die();
        await connection.die(written);
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
    spilled: (): string[] => spillKeys().flatMap((key) => JSON.parse(map.get(key) ?? '[]').map(nameOfCall)),
    buffered: async () => (await disk.buffered()).map(nameOfCall),
    /** The names of what the relay was sent, request by request. */
    sent: () => relay.requests.map(({ records }) => records.map(nameOf)),
  };
}

/** A visitor's life goes on for as long as anything happens without time. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await settled();
}

function nameOfCall({ kind, json, userId }: Call): string {
  return kind === 'event' ? JSON.parse(`{${json}}`).eventName : `${kind} ${userId}`;
}

export function nameOf(record: TrackerRecord): string {
  return record.kind === 'event' ? record.eventName : `identify ${record.userId}`;
}

export const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `e${from + index}`);

function mortal(storage: PageStorage, lives: () => boolean): PageStorage {
  return {
    ...storage,
    set: (key, value) => lives() && storage.set(key, value),
    remove: (key) => void (lives() && storage.remove(key)),
  };
}
