import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isTaken } from '../../../src/cli/dev/ports.ts';
import { ANSWERS } from '../../../src/cli/probe/answers.ts';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { freePort } from '../free-port.ts';
import { type Installed, installPackage } from '../installed.ts';
import type { WebEngageRecords } from '../received.ts';
import { serveSite } from '../site.ts';

// What somebody has on this machine who has the package from npm, and nothing else.

let installed: Installed;
let browser: Browser;
/** All that a run writes for itself. */
let temporary: string;

beforeAll(async () => {
  [installed, browser, temporary] = await Promise.all([
    installPackage(),
    chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
    mkdtemp(join(tmpdir(), 'webengage-relay-journey-')),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await installed?.remove();
  await rm(temporary, { recursive: true, force: true });
});

type Run = {
  readonly ports: { readonly relay: number; readonly sandbox: number; readonly page: number };
  /** Resolves once it has said this; rejects where it ends before. */
  readonly says: (words: string) => Promise<string>;
  /** As Ctrl-C at a terminal does, to all that runs in it; or to the one alone. */
  readonly interrupt: (signal?: 'SIGQUIT') => void;
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
};

const begun: Run[] = [];

afterEach(async () => {
  for (const run of begun.splice(0)) {
    run.interrupt();
    await run.ended;
  }
});

/** Runs `webengage-relay dev` in a folder of the project's, on ports that are free. */
async function dev(
  flags: readonly string[] = [],
  { folder = '.', ports = {} }: { folder?: string; ports?: Partial<Run['ports']> } = {},
): Promise<Run> {
  const [relay, sandbox, page] = [await freePort(), await freePort(), await freePort()];
  const all = { relay, sandbox, page, ...ports };
  const given = [['--port', all.relay], ['--sandbox-port', all.sandbox], ['--page-port', all.page], flags];
  const child = spawn('npx', ['webengage-relay', 'dev', ...given.flat().map(String)], {
    cwd: join(installed.folder, folder),
    // A terminal of its own, so to speak.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary, WRANGLER_SEND_METRICS: 'false' },
  });
  let said = '';
  const heard = new Set<() => void>();
  const hear = () => {
    for (const listener of heard) listener();
  };
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += chunk;
      hear();
    });
  let hasEnded = false;
  const ended = once(child, 'close').then(([code]: (number | null)[]) => {
    hasEnded = true;
    hear();
    return { code: code ?? null, said };
  });
  const run: Run = {
    ports: all,
    says: (words) =>
      new Promise((resolve, reject) => {
        const listener = () => {
          if (said.includes(words)) resolve(said);
          else if (hasEnded) reject(new Error(`it has ended, and did not say ${words}:\n${said}`));
        };
        heard.add(listener);
        listener();
      }),
    interrupt: (signal: NodeJS.Signals = 'SIGINT') => {
      if (!hasEnded && child.pid !== undefined) process.kill(-child.pid, signal);
    },
    ended,
  };
  begun.push(run);
  return run;
}

const received = async ({ ports }: Run): Promise<WebEngageRecords> =>
  (await fetch(`http://localhost:${ports.sandbox}/records`)).json();

/** The processes of all runs that are there, by what they write to. */
async function processes(): Promise<readonly { readonly pid: number; readonly command: string }[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,args=']);
  return stdout
    .split('\n')
    .filter((line) => line.includes(temporary))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line }));
}

async function nothingIsLeft({ ports }: Run): Promise<void> {
  for (const port of Object.values(ports)) expect(await isTaken(port)).toBe(false);
  expect(await processes()).toEqual([]);
  expect(await kept()).toEqual([]);
}

/** What the system's folder for temporary files holds of it; npm has things of its own there. */
const kept = async () => (await readdir(temporary)).filter((name) => name.startsWith('webengage-relay'));

test('without Wrangler it says how to install it, and ends', async () => {
  const { code, said } = await (await dev()).ended;

  expect(code).toBe(1);
  expect(said).toMatch(/Wrangler.* is not installed: run npm install --save-dev wrangler@4\.\d+\.\d+\n$/);
  expect(await kept()).toEqual([]);
});

test('in a project of init before npm install, it names that step and ends', async () => {
  // Not below the folder that has the package.
  const cwd = await mkdtemp(join(temporary, 'project-'));
  const tool = (...args: string[]) =>
    promisify(execFile)(
      process.execPath,
      [join(installed.folder, 'node_modules/webengage-relay/dist/cli.js'), ...args],
      { cwd },
    );
  await tool('init', '--no-secrets', '--license', '~live', '--origins', 'https://shop.example.com');

  await expect(tool('dev')).rejects.toMatchObject({
    code: 1,
    stderr: 'webengage-relay: webengage-relay is not installed in this folder: run npm install\n',
  });
});

describe('with Wrangler installed', () => {
  beforeAll(() => installed.add('wrangler'));

  test('a first event arrives by a click, and after Ctrl-C nothing is left', async () => {
    const run = await dev();
    const said = await run.says('Ctrl-C');
    const page = await browser.newPage();

    expect(said).toContain(`http://localhost:${run.ports.page} `);
    expect(said).toContain('accepts any page; --origins restricts it');
    await page.goto(`http://localhost:${run.ports.page}`);
    for (const button of await page.locator('button').all()) await button.click();
    await page.getByText('at WebEngage: 1 by identify, 1 by track').waitFor();
    expect((await page.locator('output').innerText()).match(/^stored in this browser/gm)).toHaveLength(2);
    expect(await received(run)).toMatchObject({
      users: [{ userId: 'johndoe' }],
      events: [{ userId: 'johndoe', eventName: 'Added to Cart' }],
    });
    await page.close();
    const readableBy = async (site: string) => {
      const url = `http://localhost:${run.ports.sandbox}/records`;
      return (await fetch(url, { headers: { Origin: site } })).headers.get('Access-Control-Allow-Origin');
    };
    expect(await readableBy('http://localhost:3000')).toBe('http://localhost:3000');
    // What is open in the browser beside it may not look at who was signed in.
    expect(await readableBy('https://evil.example')).toBeNull();

    run.interrupt();
    await run.ended;
    await nothingIsLeft(run);
    expect((await readdir(installed.folder)).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(await readdir(join(installed.folder, 'node_modules/webengage-relay'))).not.toContain('.wrangler');
  });

  test('the lines it prints work in any page', async () => {
    const run = await dev();
    const [tag = ''] = /<script>.*tracker\.js"><\/script>/s.exec(await run.says('Ctrl-C')) ?? [];
    const site = await serveSite(() => ({
      type: 'text/html',
      body: `<!doctype html>${tag}<script>webengageRelay.track('Opened'); webengageRelay.flush();</script>`,
    }));
    const page = await browser.newPage();

    await page.goto(site.url);
    await expect
      .poll(async () => (await received(run)).events, { timeout: 20_000 })
      .toMatchObject([{ eventName: 'Opened' }]);

    await page.close();
    site.stop();
  });

  test('a file is imported with the token it prints', async () => {
    const run = await dev();
    const [, token = ''] = /SERVER_TOKEN=(\S+)/.exec(await run.says('Ctrl-C')) ?? [];
    await installed.write('users.csv', 'User ID;Plan\nann;gold\n;\n');

    await promisify(execFile)(
      'npx',
      [
        'webengage-relay',
        'import',
        'users.csv',
        '--kind',
        'users',
        '--relay',
        `localhost:${run.ports.relay}`,
      ],
      { cwd: installed.folder, env: { ...process.env, SERVER_TOKEN: token } },
    );

    await expect
      .poll(async () => (await received(run)).users, { timeout: 20_000 })
      .toMatchObject([{ userId: 'ann', attributes: { Plan: 'gold' } }]);
  });

  test('only the named sites may send, and the page to try it with', async () => {
    const run = await dev(['--origins', 'http://shop.test:3000']);
    await run.says('Ctrl-C');
    const statusOf = async (origin: string) => {
      const headers = { Origin: origin };
      const url = `http://localhost:${run.ports.relay}/v1/batch`;
      return (await fetch(url, { method: 'OPTIONS', headers })).status;
    };

    expect(await statusOf('http://shop.test:3000')).toBe(204);
    expect(await statusOf(`http://localhost:${run.ports.page}`)).toBe(204);
    expect(await statusOf('http://localhost:3000')).toBe(403);
  });

  test('the sandbox plays the account of a profile, and a wrong one is reported before anything starts', async () => {
    const unknown = { value: 'unknown', evidence: 'not asked' };
    const answers = Object.fromEntries(ANSWERS.map((name) => [name, unknown]));
    const profile = {
      version: 1,
      probedAt: '',
      answers: { ...answers, tooMany: { ...unknown, value: 'cut' } },
    };
    await installed.write('webengage-profile.json', JSON.stringify(profile));
    await installed.write('wrong.json', JSON.stringify({ ...profile, version: 2 }));

    const run = await dev(['--profile', 'webengage-profile.json']);
    await run.says('Ctrl-C');
    const control = await (await fetch(`http://localhost:${run.ports.sandbox}/control`)).json();
    const wrong = await (await dev(['--profile', 'wrong.json'])).ended;

    expect(control).toMatchObject({ tooMany: 'cut', nulls: 'refused' });
    expect(wrong).toMatchObject({
      code: 1,
      said: expect.stringContaining('wrong.json: version must be 1, not 2'),
    });
  });

  test('an invalid site is reported before anything starts', async () => {
    const { code, said } = await (await dev(['--origins', 'http://localhost:3000/'])).ended;

    expect(code).toBe(2);
    expect(said).toContain('--origins must list origins');
  });

  test('a port in use is reported, with the flag that names another', async () => {
    const other = createServer().listen(await freePort(), '127.0.0.1');
    await once(other, 'listening');
    const { port: sandbox } = other.address() as { port: number };

    const { code, said } = await (await dev([], { ports: { sandbox } })).ended;
    other.close();

    expect(code).toBe(1);
    expect(said).toContain(
      `port ${sandbox} is in use: stop the program that listens there, or choose another port with --sandbox-port`,
    );
  });

  test('ended by Ctrl-\\, it leaves nothing either', async () => {
    const run = await dev();
    await run.says('Ctrl-C');

    run.interrupt('SIGQUIT');
    await run.ended;
    await nothingIsLeft(run);
  });

  test('ended while it starts, it leaves nothing', async () => {
    const run = await dev();
    await run.says('Starting');
    await expect.poll(async () => (await processes()).length).toBeGreaterThan(0);

    run.interrupt();

    expect((await run.ended).said).not.toContain('Ctrl-C');
    await nothingIsLeft(run);
  });

  test('if one of the two stops by itself, the others stop and a message says so', async () => {
    const run = await dev();
    await run.says('Ctrl-C');

    for (const { pid } of await processes()) process.kill(pid, 'SIGKILL');
    const { code, said } = await run.ended;

    expect(code).toBe(1);
    expect(said).toContain('stopped unexpectedly');
    await nothingIsLeft(run);
  });

  describe('in your own project', () => {
    const folder = 'my-relay';

    beforeAll(async () => {
      const flags = [
        '--license',
        '~live',
        '--origins',
        'https://shop.example.com',
        '--domain',
        't.example.com',
      ];
      await installed.tool('../dist/cli.js', 'init', folder, '--no-secrets', ...flags);
      await symlink('../node_modules', join(installed.folder, folder, 'node_modules'));
    });

    test('it runs that relay, and nothing leaves this machine, whatever the settings', async () => {
      await installed.write(
        `${folder}/.dev.vars`,
        'WEBENGAGE_API_KEY=the-real-one\nWEBENGAGE_HOST=https://api.in.webengage.com\nADMIN_TOKEN=short\n',
      );
      await installed.write(
        `${folder}/src/worker.js`,
        `import { createRelay } from 'webengage-relay/edge';
        export { Outbox, RateGate } from 'webengage-relay/edge';
        const relay = createRelay();
        export default {
          fetch: (request, env, ctx) =>
            new URL(request.url).pathname === '/own' ? new Response('own') : relay.fetch(request, env, ctx),
        };`,
      );

      const run = await dev([], { folder });
      const said = await run.says('Ctrl-C');
      expect(said).toContain('Starting your relay, by wrangler.jsonc');

      const [, token] = /SERVER_TOKEN=(\S+)/.exec(said) ?? [];
      const answer = await fetch(`http://localhost:${run.ports.relay}/v1/batch`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        body: '{}',
      });
      // The token is accepted, and the body is not.
      expect(answer.status).toBe(400);
      expect(await (await fetch(`http://localhost:${run.ports.relay}/own`)).text()).toBe('own');
      const page = await browser.newPage();
      await page.goto(`http://localhost:${run.ports.page}`);
      await page.locator('button').last().click();
      await page.getByText('at WebEngage: 0 by identify, 1 by track').waitFor();
      await page.close();
    });

    test('an invalid setting there is reported, in the relay’s words', async () => {
      const path = `${folder}/wrangler.jsonc`;
      const config = await installed.read(path);
      await installed.write(path, config.replace('"vars": {', '"vars": { "IDENTITY": "required",'));

      const run = await dev([], { folder });

      expect(await run.says('the relay says')).toContain('IDENTITY_KEY is not set');
    });
  });
});
