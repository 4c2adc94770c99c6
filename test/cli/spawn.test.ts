import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { execPath } from 'node:process';
import { afterEach, expect, test, vi } from 'vitest';
import { INTERRUPTED, run } from '../../src/cli/spawn.ts';

afterEach(() => void vi.unstubAllEnvs());

/** Runs a script of one line; what it finds is told by its exit code. */
const script = (source: string, input?: string) =>
  run([execPath, '-e', source], { cwd: '.', ...(input !== undefined && { input }) });

test('the exit code is that of the program', async () => {
  expect(await script('process.exit(7)')).toBe(7);
});

test('a program ended by a signal has failed', async () => {
  expect(await script('process.kill(process.pid, "SIGKILL")')).not.toBe(0);
});

test('Ctrl-C ends the program but not the caller, who sees it by the exit code', async () => {
  const program = "console.log('ready'); setInterval(() => {}, 1_000)";
  const caller = `import { run } from './src/cli/spawn.ts';
    console.log(await run([process.execPath, '-e', ${JSON.stringify(program)}], { cwd: '.' }));`;
  // In a group of its own: a terminal sends the signal to all that runs in it.
  const child = spawn(execPath, ['--input-type=module', '-e', caller], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
    if (said === 'ready\n' && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
  });

  await once(child, 'close');

  expect(said).toBe(`ready\n${INTERRUPTED}\n`);
});

test('a program that does not exist has failed', async () => {
  expect(await run(['no-such-program-anywhere'], { cwd: '.', input: 'a-secret' })).not.toBe(0);
});

test('the program reads the given input', async () => {
  const reads = 'process.exit(require("fs").readFileSync(0, "utf8") === "a-secret" ? 0 : 3)';

  expect(await script(reads, 'a-secret')).toBe(0);
});

test('the API key in a variable is passed to no program', async () => {
  vi.stubEnv('WEBENGAGE_API_KEY', 'a-key');

  expect(await script('process.exit("WEBENGAGE_API_KEY" in process.env ? 3 : 0)')).toBe(0);
});
