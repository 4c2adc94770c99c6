import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Engine, InPage } from './engine.ts';
import { processTree } from './process-tree.ts';
import { until } from './until.ts';
import { startSession } from './webdriver-session.ts';

const DRIVER = '/usr/bin/WebKitWebDriver';
const BROWSER = fileURLToPath(new URL('webkit-browser.py', import.meta.url));

async function freePort(): Promise<number> {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address() as AddressInfo;
  socket.close();
  return port;
}

async function startDriver(profile: string) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn('xvfb-run', ['-a', DRIVER, `--port=${port}`], {
    // A group of its own: the X server must end with it.
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, PROFILE: profile },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("No WebKit: install Debian's webkit2gtk-driver and xvfb.");
  const exited = once(child, 'exit');
  await until('WebKitWebDriver answers', async () => {
    if (child.exitCode !== null) throw new Error(`${DRIVER} under xvfb-run ended with ${child.exitCode}`);
    return fetch(`${url}/status`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  return {
    pid,
    url,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGTERM');
      await exited;
    },
  };
}

export const webkitEngine: Engine = {
  name: 'webkit',
  open: async (profile) => {
    const driver = await startDriver(profile);
    const { ask } = await startSession(driver.url, {
      'webkitgtk:browserOptions': { binary: BROWSER, args: [] },
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
        await ask('DELETE', '/window');
      });

    return {
      openTab: async (url) => {
        const { handle } = await inTab(first, () =>
          ask<{ readonly handle: string }>('POST', '/window/new', { type: 'tab' }),
        );
        open.add(handle);
        const goto = (to: string) => inTab(handle, () => ask<void>('POST', '/url', { url: to }));
        await goto(url);
        return {
          goto,
          evaluate: <Argument, Result>(run: InPage<Argument, Result>, argument: Argument) =>
            inTab(handle, () =>
              ask<Result>('POST', '/execute/sync', {
                script: `return (${run})(arguments[0]);`,
                args: [argument],
              }),
            ),
          close: () => closeTab(handle),
        };
      },
      close: async () => {
        for (const handle of open) await closeTab(handle);
        await ask('DELETE', '');
        await driver.stop();
      },
      processes: () => processTree(driver.pid, BROWSER),
      buried: driver.stop,
    };
  },
};
