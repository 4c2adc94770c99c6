import type { HTTPRequest, Page } from 'puppeteer-core';
import type { BlockedHow, InPage, Tab } from './engine.ts';

const ABORT_CODES = { blocked: 'blockedbyclient', 'unknown name': 'namenotresolved' } as const;

/** A tab as puppeteer drives it, be it in Chromium or in Firefox. */
export function puppeteerTab(page: Page): Tab {
  let blocked: { readonly url: string; readonly how: BlockedHow } | undefined;
  const decide = (request: HTTPRequest) => {
    const decided =
      blocked !== undefined && request.url().startsWith(blocked.url)
        ? request.abort(ABORT_CODES[blocked.how])
        : request.continue();
    decided.catch(() => {}); // The page has gone with its request.
  };
  return {
    goto: async (url) => {
      await page.goto(url);
    },
    evaluate: async <Argument, Result>(run: InPage<Argument, Result>, argument: Argument) =>
      // Puppeteer's own type unwraps handles; there are none here.
      (await page.evaluate(run as (argument: unknown) => unknown, argument)) as Result,
    close: () => page.close(),
    setOffline: (offline) => page.setOfflineMode(offline),
    block: async (url, how) => {
      blocked = how === undefined ? undefined : { url, how };
      page.off('request', decide);
      await page.setRequestInterception(how !== undefined);
      if (how !== undefined) page.on('request', decide);
    },
  };
}
