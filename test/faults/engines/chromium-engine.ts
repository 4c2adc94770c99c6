import puppeteer, { type Page } from 'puppeteer-core';
import { chromiumPath, findChromium, LAUNCH_ARGS } from '../../chromium.ts';
import type { Engine, Tab } from './engine.ts';
import { puppeteerTab } from './puppeteer-tab.ts';

// Puppeteer's own: without them a tab behind another is treated as it is at home.
const AS_AT_HOME = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

function tabOf(page: Page): Tab {
  // Not before it is needed: a page under the eyes of the developer tools prerenders nothing.
  const devTools = () => page.createCDPSession();
  return {
    ...puppeteerTab(page),
    crash: async () => {
      const session = await devTools();
      const crashed = new Promise((resolve) => session.once('Inspector.targetCrashed', resolve));
      await session.send('Inspector.enable');
      // What has crashed does not answer.
      session.send('Page.crash').catch(() => {});
      await crashed;
    },
    setFrozen: async (frozen) => {
      const session = await devTools();
      await session.send('Page.setWebLifecycleState', { state: frozen ? 'frozen' : 'active' });
      await session.detach();
    },
  };
}

export const chromiumEngine: Engine = {
  name: 'chromium',
  missing: () => (findChromium() === undefined ? 'a Chromium, or set CHROMIUM_PATH' : undefined),
  open: async (profile, { isPrivate = false } = {}) => {
    const browser = await puppeteer.launch({
      browser: 'chrome',
      executablePath: chromiumPath(),
      userDataDir: profile,
      args: LAUNCH_ARGS,
      ignoreDefaultArgs: AS_AT_HOME,
    });
    const window = isPrivate ? await browser.createBrowserContext() : browser.defaultBrowserContext();
    return {
      openTab: async (url) => {
        const page = await window.newPage();
        await page.goto(url);
        return tabOf(page);
      },
      close: () => browser.close(),
      afterKill: () => browser.disconnect(),
    };
  },
};
