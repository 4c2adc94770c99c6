import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../chromium.ts';
import { until } from '../faults/until.ts';
import { type FakeRelay, startFakeRelay } from './harness/fake-relay.ts';

// A browser that is killed while its page has only begun: what was promised by then is kept.

const RUNS = 10;
const CALLS = 50;
const KILLED_AFTER_MS = 20;

type Run = {
  readonly profile: string;
  /** Calls whose promises had resolved, as far as the page could still say so. */
  readonly resolved: Set<number>;
  end: 'begins' | 'has begun' | 'is killed' | 'is back';
};

let relay: FakeRelay;
let site: { readonly url: string; readonly stop: () => void };
const runs: Run[] = [];

/** The page on which all is called in the first task, and the one that comes back. */
function pageOf(index: number, isBack: boolean): string {
  const tag = `<script src="${relay.url}/tracker.js" data-max-wait-ms="60000" data-requests-per-minute="500" data-burst="100"></script>`;
  const code = isBack
    ? `addEventListener('load', () => webengageRelay.flush().then(() => fetch('/back?${index}', { method: 'POST' })));`
    : `fetch('/begun?${index}', { method: 'POST' });
       for (let n = 0; n < ${CALLS}; n++)
         webengageRelay.track('Run ${index}', { n }).then(() => navigator.sendBeacon('/resolved?${index}&' + n));`;
  return `<!doctype html><link rel="icon" href="data:,"><title>A page</title>${tag}<script>${code}</script>`;
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [path, query = ''] = (request.url ?? '/').split('?');
  const [index = '0', n] = query.split('&');
  const run = runs[Number(index)];
  if (path === '/begun' && run) run.end = 'has begun';
  if (path === '/back' && run) run.end = 'is back';
  if (path === '/resolved' && n !== undefined) run?.resolved.add(Number(n));
  response.writeHead(200, { 'Content-Type': 'text/html' });
  response.end(path === '/first' || path === '/again' ? pageOf(Number(index), path === '/again') : '');
}

beforeAll(async () => {
  relay = await startFakeRelay();
  // Nobody answers a page that is to be killed: what it had sent would be no proof of what it had kept.
  relay.behave(({ batch }) => {
    const index = /^Run (\d+)$/.exec(batch?.records[0]?.eventName ?? '')?.[1];
    const end = runs[Number(index)]?.end;
    return end === 'begins' || end === 'has begun' ? { what: 'hang' } : undefined;
  });
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  site = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
});

afterAll(async () => {
  site?.stop();
  relay?.stop();
  await Promise.all(runs.map(({ profile }) => rm(profile, { recursive: true, force: true, maxRetries: 5 })));
});

/** A browser on a profile, in a process group of its own, so that one signal ends all of it at once. */
function startBrowser(profile: string, url: string): { readonly kill: () => Promise<void> } {
  const args = [
    ...LAUNCH_ARGS,
    '--headless',
    '--no-default-browser-check',
    `--user-data-dir=${profile}`,
    url,
  ];
  const browser = spawn(chromiumPath(), args, { detached: true, stdio: 'ignore' });
  const exited = once(browser, 'exit');
  return {
    kill: async () => {
      if (browser.pid !== undefined && browser.exitCode === null) process.kill(-browser.pid, 'SIGKILL');
      await exited;
    },
  };
}

/** @param mayKill resolves when the browser is to be killed, its page having begun */
async function startCold(index: number, mayKill: (run: Run) => Promise<unknown>): Promise<Run> {
  const profile = await mkdtemp(join(tmpdir(), 'webengage-relay-cold-'));
  const run: Run = { profile, resolved: new Set(), end: 'begins' };
  runs[index] = run;
  const first = startBrowser(profile, `${site.url}/first?${index}`);
  try {
    await until('the page has begun', () => run.end === 'has begun');
    await mayKill(run);
  } finally {
    await first.kill();
    run.end = 'is killed';
  }

  const again = startBrowser(profile, `${site.url}/again?${index}`);
  try {
    await until('the page is back, and has sent what there was', () => run.end === 'is back');
  } finally {
    await again.kill();
  }
  return run;
}

/** The calls of a run that have arrived, by their numbers. */
const arrived = (index: number): ReadonlySet<number> =>
  new Set(
    relay
      .events()
      .filter(({ eventName }) => eventName === `Run ${index}`)
      .map(({ eventData }) => Number(eventData?.n)),
  );

/** The calls of a run that had resolved, and have not arrived. */
const lost = (index: number): readonly string[] =>
  [...(runs[index]?.resolved ?? [])]
    .filter((n) => !arrived(index).has(n))
    .map((n) => `run ${index}, call ${n}`);

test(`${CALLS} calls in a page's first task, the browser killed ${KILLED_AFTER_MS} ms later: every resolved call survives`, {
  timeout: 240_000,
}, async ({ annotate }) => {
  const indices = Array.from({ length: RUNS }, (_, index) => index);

  for (const index of indices)
    if (index % 2 === 0)
      await Promise.all([index, index + 1].map((each) => startCold(each, () => setTimeout(KILLED_AFTER_MS))));

  const sizes = indices.map((index) => arrived(index).size);
  const bare = indices.filter((index) => runs[index]?.resolved.size === 0 && sizes[index] === 0).length;
  await annotate(
    `${bare} of ${RUNS} runs lost everything, none of which had resolved; arrived of ${CALLS}: ${sizes.join(', ')}; resolved: ${indices.map((index) => runs[index]?.resolved.size).join(', ')}`,
  );
  expect(indices.flatMap(lost)).toEqual([]);
  expect(relay.doubled()).toEqual([]);
});

// Of the runs above none may get so far as to promise anything: what they say of promises is proven here.
test(`${CALLS} calls in a page's first task, the browser killed once all have resolved: all survive`, {
  timeout: 120_000,
}, async () => {
  const indices = [RUNS, RUNS + 1];
  const allResolved = (run: Run) => until('all have resolved', () => run.resolved.size === CALLS);

  await Promise.all(indices.map((index) => startCold(index, allResolved)));

  expect(indices.map((index) => arrived(index).size)).toEqual([CALLS, CALLS]);
  expect(relay.doubled()).toEqual([]);
});
