import type { PageStorage } from '../platform/local-storage.ts';
import type { PageLifecycle } from '../platform/page-lifecycle.ts';
import type { Exclusive } from '../platform/tab-lock.ts';
import type { Time } from '../platform/time.ts';
import type { RecordStore } from '../store/record-store.ts';

/** `fetchLater`, if the browser has it. https://developer.mozilla.org/docs/Web/API/Window/fetchLater */
type FetchLater = (url: string, init: RequestInit) => unknown;

/** Everything that the tracker needs of its environment. Tests provide their own. */
export type Platform = {
  readonly time: Time;
  readonly chance: { readonly random: () => number; readonly bytes: (count: number) => Uint8Array };
  readonly fetch: typeof fetch;
  readonly fetchLater: FetchLater | undefined;
  /** Opens the store with its first operation. */
  readonly store: (name: string, reportDegraded: (why: unknown) => void) => RecordStore;
  /** Deletes what a store of this name has kept, if there is any. True once nothing is left. Never rejects. */
  readonly removeStore: (name: string) => Promise<unknown>;
  readonly pageStorage: PageStorage;
  readonly exclusive: (name: string) => Exclusive;
  /** Resolves once a visitor can see the page. */
  readonly activated: () => Promise<void>;
  /** The current address of the page. Undefined in a worker, whose location is its script's. */
  readonly address: () => string | undefined;
  readonly watchPage: (lifecycle: PageLifecycle) => void;
  /** Whether the page has closed its own window. It still runs, but may end before it learns that it is hidden. */
  readonly isClosed: () => boolean;
  /** Call it once, early. It returns a function that requests a sync event in the site's service worker. */
  readonly askForSync: (tag: string) => () => void;
  /** Passes an error of the page's own code to the page's error handling. */
  readonly report: (error: unknown) => void;
};
