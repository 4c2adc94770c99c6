import { type CDPSession, chromium, type Page } from 'playwright-core';
import { chromiumPath, LAUNCH_ARGS } from '../../test/chromium.ts';
import { install, startPaused } from './in-page.ts';
import { type Site, startSite } from './site.ts';

/** A site in a real Chromium, ready to be measured. */
export type Harness = {
  readonly page: Page;
  readonly cdp: CDPSession;
  readonly site: Site;
  /** Starts a tracker with its own buffer. The relay takes nothing, and answers with this `Retry-After`. */
  readonly startTracker: (retryAfterSeconds: number) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export async function startHarness(): Promise<Harness> {
  const site = await startSite();
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS });
  const page = await browser.newPage();
  await page.goto(site.url);
  await page.evaluate(install);
  let trackers = 0;

  return {
    page,
    cdp: await page.context().newCDPSession(page),
    site,
    startTracker: async (retryAfterSeconds) => {
      trackers += 1;
      site.pause(retryAfterSeconds);
      await page.evaluate(startPaused, `${site.relayUrl}/${trackers}`);
    },
    stop: async () => {
      await browser.close();
      site.stop();
    },
  };
}
