import { existsSync, readFileSync } from 'node:fs';
import { type BrowserContextOptions, chromium } from 'playwright-core';
import { chromiumPath, LAUNCH_ARGS } from '../../test/chromium.ts';
import { ADMIN_TOKEN, AT, DEAD_LETTERS, STATUS } from './busy-relay.ts';

// Takes the picture of the admin page for docs/guides/operating.md: the page as it is built, with the figures of a
// busy relay. `npm run bench:admin -- <folder>` puts the whole page, light and dark, wide and narrow, there instead.

const ROOT = 'dist/public';
const ORIGIN = 'http://relay.example';
const PICTURE = 'docs/images/admin.png';

const DESKTOP = { width: 1_280, height: 1_024 };
const PHONE = { width: 390, height: 844 };

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css',
  html: 'text/html',
  js: 'text/javascript',
  svg: 'image/svg+xml',
};

const ANSWERS: Readonly<Record<string, object>> = {
  '/admin/status': STATUS,
  '/admin/dead-letters': { deadLetters: DEAD_LETTERS, next: null },
};

type Look = { readonly viewport: typeof DESKTOP; readonly colorScheme: 'light' | 'dark' };

const browser = await chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS });

async function take(path: string, look: Look, fullPage: boolean): Promise<void> {
  const options: BrowserContextOptions = { ...look, timezoneId: 'UTC', reducedMotion: 'reduce' };
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.clock.setFixedTime(AT);
  await page.route(`${ORIGIN}/**`, async (route) => {
    const { pathname } = new URL(route.request().url());
    const answer = ANSWERS[pathname];
    const file = `${ROOT}${pathname.endsWith('/') ? `${pathname}index.html` : pathname}`;
    if (answer !== undefined) await route.fulfill({ json: answer });
    else if (!existsSync(file)) await route.fulfill({ status: 404 });
    else
      await route.fulfill({
        body: readFileSync(file),
        contentType: TYPES[file.split('.').at(-1) ?? ''] ?? 'text/plain',
      });
  });
  await page.goto(`${ORIGIN}/admin/`);
  await page.locator('#token').fill(ADMIN_TOKEN);
  await page.keyboard.press('Enter');
  await page.getByText('Added to Cart', { exact: true }).waitFor();
  await page.locator('canvas').nth(1).waitFor();
  await page.screenshot({ path, fullPage });
  await context.close();
}

const [folder] = process.argv.slice(2);
try {
  if (folder === undefined) await take(PICTURE, { viewport: DESKTOP, colorScheme: 'light' }, false);
  else
    for (const [name, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE }))
      for (const colorScheme of ['light', 'dark'] as const)
        await take(`${folder}/${name}-${colorScheme}.png`, { viewport, colorScheme }, true);
} finally {
  await browser.close();
}
console.log(`Taken: ${folder ?? PICTURE}.`);
