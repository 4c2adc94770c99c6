import { cp, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer-core';
import { FIREFOX_PACKAGE, findFirefox } from '../../firefox.ts';
import { until } from '../until.ts';
import type { Engine } from './engine.ts';
import { puppeteerTab } from './puppeteer-tab.ts';

function launch(profile: string, isPrivate: boolean): Promise<Browser> {
  const executablePath = findFirefox();
  if (executablePath === undefined) throw new Error(`No Firefox: install ${FIREFOX_PACKAGE}.`);
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    userDataDir: profile,
    extraPrefsFirefox: { 'browser.privatebrowsing.autostart': isPrivate },
  });
}

async function makeProfile(): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), 'firefox-'));
  await (await launch(profile, false)).close();
  return profile;
}

// On a folder that is new to it Firefox takes twice as long to start: it is new to it once, and copied then.
let unused: Promise<string> | undefined;

async function moveIn(profile: string): Promise<void> {
  if ((await readdir(profile)).length > 0) return;
  unused ??= makeProfile();
  await cp(await unused, profile, { recursive: true });
}

// Puppeteer's own: what it has put aside it puts back once the browser has ended, in its own time.
const PUT_ASIDE = '.puppeteer';

export const firefoxEngine: Engine = {
  name: 'firefox',
  missing: () => (findFirefox() === undefined ? `${FIREFOX_PACKAGE}, or set FIREFOX_PATH` : undefined),
  open: async (profile, { isPrivate = false } = {}) => {
    await moveIn(profile);
    const browser = await launch(profile, isPrivate);
    return {
      openTab: async (url) => {
        const page = await browser.newPage();
        await page.goto(url);
        return puppeteerTab(page);
      },
      close: () => browser.close(),
      afterKill: async () => {
        await browser.disconnect();
        await until('the preferences are put back', async () =>
          (await readdir(profile)).every((file) => !file.endsWith(PUT_ASIDE)),
        );
      },
    };
  },
};
