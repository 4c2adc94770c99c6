import { type Stack, startStack } from '../journeys/stack.ts';
import { startRun } from './cleanup-process.ts';
import { type FlakyProxy, startFlakyProxy } from './flaky-proxy.ts';
import { openSite, type Site } from './page/site.ts';

/** What the visitors of one engine use: a site, a proxy to the relay, the relay, and the sandbox in place of WebEngage. */
export type Harness = {
  readonly stack: Stack;
  readonly proxy: FlakyProxy;
  readonly site: Site;
  /** Restores the initial state, for the next visitor. */
  readonly reset: () => Promise<void>;
  /** Ends it, and all that was started on it. */
  readonly stop: () => Promise<void>;
};

// What merges visitors is not asked here, so nobody need wait for it.
const LINGER_MS = 50;

export async function startHarness(): Promise<Harness> {
  const run = startRun();
  try {
    // Pages in sandboxed frames and under other names have other origins.
    const stack = await startStack({ allowedOrigins: '*', lingerMs: LINGER_MS });
    const proxy = await startFlakyProxy(stack.relayUrl);
    const site = await openSite(proxy.url);
    return {
      stack,
      proxy,
      site,
      reset: async () => {
        proxy.reset();
        site.reset();
        await stack.empty();
      },
      stop: async () => {
        proxy.stop();
        site.stop();
        await stack.stop();
        await run.end();
      },
    };
  } catch (error) {
    await run.end();
    throw error;
  }
}
