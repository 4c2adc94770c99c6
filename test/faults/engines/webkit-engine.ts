import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../journeys/free-port.ts';
import { hasWebkit, WEBKIT_DRIVER, WEBKIT_PACKAGES } from '../../webkit.ts';
import { killAll, processesOf } from '../processes.ts';
import { until } from '../until.ts';
import type { Engine, InPage } from './engine.ts';
import { startSession } from './webdriver-session.ts';
import { screen } from './x-server.ts';

const BROWSER = fileURLToPath(new URL('webkit-browser.py', import.meta.url));

// On a busy machine its network process takes so long to write.
const CLOSES_IN_MS = 500;

async function startDriver(profile: string) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(WEBKIT_DRIVER, [`--port=${port}`], {
    // Marks it, in the list of processes, as this profile's.
    argv0: `WebKitWebDriver ${profile}`,
    stdio: 'ignore',
    env: { ...process.env, DISPLAY: await screen(), GDK_BACKEND: 'x11' },
  });
  const exited = once(child, 'exit');
  await until('WebKitWebDriver answers', async () => {
    if (child.exitCode !== null) throw new Error(`${WEBKIT_DRIVER} ended with ${child.exitCode}`);
    return fetch(`${url}/status`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  return {
    url,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill();
      await exited;
    },
  };
}

export const webkitEngine: Engine = {
  name: 'webkit',
  missing: () => (hasWebkit() ? undefined : WEBKIT_PACKAGES.join(' ')),
  open: async (profile, { isPrivate = false } = {}) => {
    const driver = await startDriver(profile);
    const { ask } = await startSession(driver.url, {
      'webkitgtk:browserOptions': { binary: BROWSER, args: [profile, isPrivate ? 'private' : 'kept'] },
    });
    // The first tab stays: a session ends with its last one.
    const first = await ask<string>('GET', '/window');
    const open = new Set<string>();

    // The driver talks to one tab at a time.
    let last: Promise<unknown> = Promise.resolve();
    const inTab = <T>(handle: string, act: () => Promise<T>): Promise<T> => {
      const turn = last.then(async () => {
        await ask('POST', '/window', { handle });
        return act();
      });
      last = turn.catch(() => {});
      return turn;
    };
    const closeTab = (handle: string) =>
      inTab(handle, async () => {
        open.delete(handle);
        const before = processesOf(`${BROWSER} ${profile}`);
        await ask('DELETE', '/window');
        // The driver does not wait for the page's last words. Those of a tab that is closed come before the next one's.
        await until('the closed page’s process has ended', () => {
          const now = processesOf(`${BROWSER} ${profile}`);
          return before.some((pid) => !now.includes(pid));
        });
      });

    return {
      openTab: async (url) => {
        const { handle } = await inTab(first, () =>
          ask<{ readonly handle: string }>('POST', '/window/new', { type: 'tab' }),
        );
        open.add(handle);
        const goto = (to: string) => inTab(handle, () => ask<void>('POST', '/url', { url: to }));
        const evaluate = <Argument, Result>(run: InPage<Argument, Result>, argument: Argument) =>
          inTab(handle, () =>
            ask<Result>('POST', '/execute/sync', {
              script: `return (${run})(arguments[0]);`,
              args: [argument],
            }),
          );
        await goto(url);
        return {
          goto,
          evaluate,
          close: () => closeTab(handle),
          crash: async () => {
            open.delete(handle);
            // The browser's own word for it; a moment later, so that the driver has its answer by then.
            await evaluate(() => void setTimeout(() => location.assign('crash:'), 50), null);
          },
        };
      },
      close: async () => {
        try {
          for (const handle of open) await closeTab(handle);
          // The driver kills it then, where a browser that is closed first writes down what its pages have left with it.
          await new Promise((resolve) => setTimeout(resolve, CLOSES_IN_MS));
          await ask('DELETE', '');
        } catch {
          // A page that crashed may have taken the session with it; the visitor's browser is open still.
          await killAll(processesOf(`${BROWSER} ${profile}`));
        }
        await driver.stop();
      },
      afterKill: driver.stop,
    };
  },
};
