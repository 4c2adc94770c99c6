import { chromium, type Page } from 'playwright-core';
import { chromiumPath, LAUNCH_ARGS } from '../chromium.ts';
import type { Engine, InPage, Tab } from './engine.ts';
import { processTree } from './process-tree.ts';

function tabOf(page: Page): Tab {
  return {
    goto: async (url) => {
      await page.goto(url);
    },
    evaluate: <Argument, Result>(run: InPage<Argument, Result>, argument: Argument) =>
      // Playwright's own type unwraps handles inside the argument; there are none in ours.
      page.evaluate(run as (argument: unknown) => Result | Promise<Result>, argument),
    setOffline: (offline) => page.context().setOffline(offline),
    close: () => page.close(),
  };
}

export const chromiumEngine: Engine = {
  name: 'chromium',
  open: async (profile) => {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: chromiumPath(),
      args: LAUNCH_ARGS,
      // Playwright's own: without it pages go into the back/forward cache as they do at home.
      ignoreDefaultArgs: ['--disable-back-forward-cache'],
    });
    return {
      openTab: async (url) => {
        const page = await context.newPage();
        await page.goto(url);
        return tabOf(page);
      },
      close: () => context.close(),
      processes: () => processTree(process.pid, profile),
      buried: async () => {},
    };
  },
};
