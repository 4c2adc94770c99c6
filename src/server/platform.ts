import type { JournalDisk, Self } from './journal/disk.ts';
import { nodeDisk, nodeSelf } from './journal/node-disk.ts';
import type { Digest } from './record-id.ts';

/** What a client takes from the platform it runs on. Tests replace it. */
export type ServerPlatform = {
  readonly time: {
    /** Milliseconds since 1970, by a clock that may be corrected at any moment. */
    readonly wall: () => number;
    /** Milliseconds since some moment, by a clock that does not jump. */
    readonly mono: () => number;
    /** Runs a function later. Returns a function that cancels it. */
    readonly timer: (run: () => void, afterMs: number) => () => void;
  };
  readonly chance: {
    /** From 0 to 1, 1 excluded. */
    readonly random: () => number;
    readonly bytes: (count: number) => Uint8Array;
  };
  readonly digest: Digest;
  readonly fetch: typeof globalThis.fetch;
  /** Opens a journal's folder, which is made if it is missing. */
  readonly disk: (folder: string) => Promise<JournalDisk>;
  /** This process, for a journal's lock. */
  readonly self: () => Promise<Self>;
};

/** Node, Deno, Bun or a Worker. */
export function serverPlatform(): ServerPlatform {
  return {
    time: {
      wall: () => Date.now(),
      mono: () => performance.now(),
      timer: (run, afterMs) => {
        const id = setTimeout(run, afterMs);
        return () => clearTimeout(id);
      },
    },
    chance: { random: Math.random, bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    digest: async (text) => {
      const bytes = new TextEncoder().encode(text);
      return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    },
    // Looked up at each call: tools for tracing and tests wrap `fetch` at any time.
    fetch: (...request) => fetch(...request),
    disk: nodeDisk,
    self: nodeSelf,
  };
}
