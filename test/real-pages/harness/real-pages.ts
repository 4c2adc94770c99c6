import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { startFakeRelay } from './fake-relay.ts';
import { type Site, startSite } from './site.ts';
import { newVisitor, type Shared, shareContext, sharingVisitor, type Visitor } from './visitor.ts';

type VisitorOptions = BrowserContextOptions & {
  /** The real relay, behind the fake one. */
  readonly through?: string;
  /** The pages lie on the relay's own origin. */
  readonly firstParty?: boolean;
};

/** One browser and one site for the tests of a file. */
export type RealPages = {
  /** A visitor who ends with the test, or, outside of any, with the file. */
  readonly visitor: (options?: VisitorOptions) => Promise<Visitor>;
  /**
   * The same at less cost: in the file's one tab, with a relay of its own. For tests that need no more of a new visitor
   * than an endpoint that was never used. Its one tab is opened anew with each `open`, and its time zone is `ZONE`.
   */
  readonly quickVisitor: (through?: string) => Promise<Visitor>;
  readonly site: () => Site;
};

/** The time zone of quick visitors: not UTC, and not whole hours from it. */
const ZONE = 'Asia/Kolkata';

/** Declares the hooks of a file whose tests open pages. To be called once, outside of any test. */
export function realPages(): RealPages {
  let browser: Browser;
  let site: Site;
  let shared: Promise<Shared> | undefined;
  let isInTest = false;
  let ofTest: Visitor[] = [];
  const ofFile: Visitor[] = [];
  const endAll = (visitors: readonly Visitor[]) => Promise.all(visitors.map(({ close }) => close()));

  beforeAll(async () => {
    [browser, site] = await Promise.all([
      chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
      startSite(),
    ]);
  });
  beforeEach(() => {
    isInTest = true;
  });
  afterEach(async () => {
    isInTest = false;
    const those = ofTest;
    ofTest = [];
    await endAll(those);
  });
  afterAll(async () => {
    await endAll(ofFile);
    await browser?.close();
    site?.stop();
  });

  const endLater = (visitor: Visitor): Visitor => {
    (isInTest ? ofTest : ofFile).push(visitor);
    return visitor;
  };
  return {
    site: () => site,
    quickVisitor: async (through) => {
      shared ??= shareContext(browser, { timezoneId: ZONE });
      return endLater(sharingVisitor(await shared, site, await startFakeRelay(through)));
    },
    visitor: async ({ through, firstParty = false, ...options } = {}) => {
      const relay = await startFakeRelay(through);
      if (firstParty) relay.servePages(site.answer);
      const there = firstParty ? { ...site, url: relay.url } : site;
      return endLater(await newVisitor(browser, there, relay, options));
    },
  };
}
