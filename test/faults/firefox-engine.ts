import { existsSync } from 'node:fs';
import puppeteer, { type Page } from 'puppeteer-core';
import type { Engine, InPage, Tab } from './engine.ts';
import { processTree } from './process-tree.ts';

const SYSTEM_PATHS = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
];

function firefoxPath(): string {
  const path = [process.env.FIREFOX_PATH, ...SYSTEM_PATHS].find(
    (path) => path !== undefined && existsSync(path),
  );
  if (path === undefined) throw new Error("No Firefox: install Debian's firefox-esr, or set FIREFOX_PATH.");
  return path;
}

function tabOf(page: Page): Tab {
  return {
    goto: async (url) => {
      await page.goto(url);
    },
    evaluate: async <Argument, Result>(run: InPage<Argument, Result>, argument: Argument) =>
      // Puppeteer's own type unwraps handles; there are none here.
      (await page.evaluate(run as (argument: unknown) => unknown, argument)) as Result,
    setOffline: (offline) => page.setOfflineMode(offline),
    close: () => page.close(),
  };
}

export const firefoxEngine: Engine = {
  name: 'firefox',
  open: async (profile) => {
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: firefoxPath(),
      userDataDir: profile,
    });
    return {
      openTab: async (url) => {
        const page = await browser.newPage();
        await page.goto(url);
        return tabOf(page);
      },
      close: () => browser.close(),
      processes: () => processTree(process.pid, profile),
      buried: async () => {
        await browser.disconnect();
      },
    };
  },
};
