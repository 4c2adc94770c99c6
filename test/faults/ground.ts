import { type Stack, startStack } from '../journeys/stack.ts';
import { openSite, type Site } from './site.ts';
import { startRun } from './undertaker.ts';
import { openWay, type Way } from './way.ts';

/** Where visitors of one engine live: a site, a way to the relay, the relay, and WebEngage played by the sandbox. */
export type Ground = {
  readonly stack: Stack;
  readonly way: Way;
  readonly site: Site;
  /** As on the first day, for the next visitor. */
  readonly reset: () => Promise<void>;
  /** Ends it, and all that was started on it. */
  readonly stop: () => Promise<void>;
};

// What merges visitors is not asked here, so nobody need wait for it.
const LINGER_MS = 50;

export async function startGround(): Promise<Ground> {
  const run = startRun();
  try {
    // Pages in sandboxed frames and under other names have other origins.
    const stack = await startStack({ allowedOrigins: '*', lingerMs: LINGER_MS });
    const way = await openWay(stack.relayUrl);
    const site = await openSite(way.url);
    return {
      stack,
      way,
      site,
      reset: async () => {
        way.reset();
        site.reset();
        await stack.empty();
      },
      stop: async () => {
        way.stop();
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
