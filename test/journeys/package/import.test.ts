import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startProxy } from '../proxy.ts';
import { type Stack, startStack } from '../stack.ts';

const SERVER_TOKEN = 'a-server-token-of-enough-characters';
const JOURNAL = '.webengage-journal';

let stack: Stack;
let folder: string;

beforeAll(async () => {
  [stack, folder] = await Promise.all([
    // Faster than an account: the allowance has tests of its own.
    startStack({ lingerMs: 100, settings: { SERVER_TOKEN, REQUESTS_PER_MINUTE: '10000' } }),
    mkdtemp(join(tmpdir(), 'webengage-relay-import-')),
  ]);
});

afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  await stack.order({ requestsPerMinute: 1_000_000 });
  await stack.empty();
});

let files = 0;

/** A file of users that no other test has, nor an earlier try of this one. */
async function users(count: number): Promise<{ readonly file: string; readonly ids: readonly string[] }> {
  files += 1;
  const file = join(folder, `users-${files}.csv`);
  const ids = Array.from({ length: count }, (_, index) => `file-${files}-user-${index}`);
  await writeFile(file, ['User ID,E-mail', ...ids.map((id) => `${id},${id}@example.com`), ''].join('\n'));
  return { file, ids: ids.sort() };
}

/** Runs the command as npx does, with nobody at its terminal. */
function start(args: readonly string[], env: Record<string, string> = { SERVER_TOKEN }) {
  const child = spawn(process.execPath, [resolve('dist/bin.js'), 'import', ...args, '--kind', 'users'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]).then(
    ([[code, signal], said, complained]) => ({ code, signal, said, complained }),
  );
  return { child, ended };
}

const run = (...given: Parameters<typeof start>) => start(...given).ended;

/** The ids of the users that WebEngage has, sorted, once it has so many and the relay has nothing left. */
async function userIds(count: number): Promise<readonly (string | undefined)[]> {
  const ids = async () => (await stack.received()).users.map(({ userId }) => userId);
  const options = { timeout: 50_000, interval: 200 };
  await expect.poll(async () => (await ids()).length, options).toBeGreaterThanOrEqual(count);
  await expect.poll(stack.backlog, options).toBe(0);
  return (await ids()).sort();
}

describe('a file that is imported through a relay', () => {
  test('whose process is killed in the middle, and runs again, is at WebEngage once', async () => {
    const COUNT = 10_000;
    const { file, ids } = await users(COUNT);
    let child: ChildProcess | undefined;
    const proxy = await startProxy(stack.relayUrl, 8, () => child?.kill('SIGKILL'));
    const first = start([file, '--relay', proxy.url]);
    child = first.child;
    expect(await first.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(existsSync(`${file}${JOURNAL}`)).toBe(true);
    const sentBefore = proxy.requests();

    const second = await run([file, '--relay', proxy.url]);

    expect(second).toMatchObject({ code: 0 });
    expect(second.said).toContain('10,000 rows: 10,000 sent, 0 refused');
    expect(proxy.requests()).toBeGreaterThan(sentBefore);
    proxy.close();
    expect(await userIds(COUNT)).toEqual(ids);
    // A complete run needs no journal.
    expect(existsSync(`${file}${JOURNAL}`)).toBe(false);
  }, 120_000);

  test('ends after Ctrl-C with its answers noted, and says how to go on', async () => {
    const { file, ids } = await users(3_000);
    let child: ChildProcess | undefined;
    const proxy = await startProxy(stack.relayUrl, 3, () => child?.kill('SIGINT'));
    const journal = `${file}.journal`;
    const flags = [file, '--relay', proxy.url, '--journal', journal];
    const first = start(flags);
    child = first.child;

    const interrupted = await first.ended;
    expect(interrupted).toMatchObject({ code: 130, signal: null });
    expect(interrupted.complained).toContain('to continue, run the same command again: no row is sent twice');
    const second = await run(flags);
    const third = await run(flags);
    proxy.close();

    expect(second.code).toBe(0);
    // Nothing that had its answer was sent again.
    expect(second.said.trimEnd().split('\n').at(-1)).toBe('3,000 rows: 3,000 sent, 0 refused');
    expect(third).toMatchObject({ code: 0 });
    expect(third.complained).toContain('nothing is left to send');
    expect(await userIds(3_000)).toEqual(ids);
  }, 120_000);

  test('with a wrong token stops, and its output has no token', async () => {
    const wrong = 'another-token-of-enough-characters';

    const { code, said, complained } = await run(
      [(await users(10)).file, '--relay', stack.relayUrl, '--token-env', 'IMPORT_TOKEN'],
      { IMPORT_TOKEN: wrong },
    );

    expect(code).toBe(1);
    expect(complained).toContain(
      `the relay refused the token: set IMPORT_TOKEN to the SERVER_TOKEN of ${stack.relayUrl}`,
    );
    expect(said + complained).not.toContain(wrong);
  });

  test('stops at an endpoint that is not a relay', async () => {
    const { code, complained } = await run([(await users(10)).file, '--relay', stack.sandboxUrl]);

    expect(code).toBe(1);
    expect(complained).toContain('but not as a relay does');
    expect(complained).toContain('Check --relay');
  });

  test('prints its report as JSON, with the rows that were refused', async () => {
    files += 1;
    const file = join(folder, `phones-${files}.csv`);
    await writeFile(file, `userId,phone\nann-${files},+491511234567\nbob,0151\n`);

    const { code, said } = await run([file, '--relay', stack.relayUrl, '--json']);

    expect(code).toBe(3);
    expect(await userIds(1)).toEqual([`ann-${files}`]);
    expect(JSON.parse(said.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'report',
      outcome: 'complete',
      rows: 2,
      sent: 1,
      refused: 1,
      reasons: [{ path: 'phone', rows: 1, firstRows: [2] }],
    });
  });
});

describe('a file that is imported directly', () => {
  const direct = (file: string, ...flags: readonly string[]) =>
    run([file, '--direct', '--license-code', stack.licenseCode, ...flags], {
      WEBENGAGE_API_KEY: stack.apiKey,
      WEBENGAGE_HOST: stack.sandboxUrl,
    });

  test('with lost answers is at WebEngage once, and a second run sends nothing', async () => {
    const { file, ids } = await users(300);
    const rate = ['--requests-per-minute', '3000'];
    const faults = [{ fault: 'cut', chance: 0.3 }];
    await stack.order({ requestsPerMinute: 1_000_000, faults, seed: 7 });

    const first = await direct(file, ...rate);
    const calls = (await stack.calls()).length;
    const second = await direct(file, ...rate);

    expect(first).toMatchObject({ code: 0 });
    expect(calls).toBeGreaterThan(12);
    expect(await userIds(300)).toEqual(ids);
    expect(second).toMatchObject({ code: 0 });
    expect((await stack.calls()).length).toBe(calls);
  });

  test('with a wrong key stops, and its output has no key', async () => {
    const wrong = 'a-key-that-must-not-leak';

    const { code, said, complained } = await run(
      [(await users(10)).file, '--direct', '--license-code', stack.licenseCode],
      { WEBENGAGE_API_KEY: wrong, WEBENGAGE_HOST: stack.sandboxUrl },
    );

    expect(code).toBe(1);
    expect(complained).toContain('check WEBENGAGE_API_KEY, --license-code and --region');
    expect(said + complained).not.toContain(wrong);
  });
});
