import type { PageStorage } from '../platform/local-storage.ts';
import type { PageLifecycle } from '../platform/page-lifecycle.ts';
import type { Exclusive } from '../platform/tab-lock.ts';
import type { Time } from '../platform/time.ts';
import type { RecordStore } from '../store/record-store.ts';

/** `fetchLater`, where the browser has it. https://developer.mozilla.org/docs/Web/API/Window/fetchLater */
type FetchLater = (url: string, init: RequestInit) => unknown;

/** All the tracker asks of where it runs. Tests play it. */
export type Platform = {
  readonly time: Time;
  readonly chance: { readonly random: () => number; readonly bytes: (count: number) => Uint8Array };
  readonly fetch: typeof fetch;
  readonly fetchLater: FetchLater | undefined;
  /** Opens it with the first operation. */
  readonly store: (name: string, tellDegraded: (why: unknown) => void) => RecordStore;
  /** Removes what a store of this name has kept, if there is any. Never rejects. */
  readonly removeStore: (name: string) => Promise<unknown>;
  readonly pageStorage: PageStorage;
  readonly exclusive: (name: string) => Exclusive;
  /** Resolves once there is a visitor to see the page. */
  readonly activated: () => Promise<void>;
  /** The address of the page as it is now; none in a worker, whose location is its script's. */
  readonly address: () => string | undefined;
  readonly watchPage: (lifecycle: PageLifecycle) => void;
  /** To be called once, early; what it answers with asks for a sync event in the site's service worker. */
  readonly askForSync: (tag: string) => () => void;
  /** Hands the page an error of its own, through its own error handling. */
  readonly report: (error: unknown) => void;
};
