import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'webengage-relay-terminal-'));
});

afterAll(() => rm(scratch, { recursive: true }));

const FLAGS =
  '--license ~abc --region in --origins https://shop.example.com --domain t.example.com --name shop-relay';

const TIMEOUT_MS = 15_000;

/**
 * Runs `init` at a terminal that shows what is typed, as terminals do, and types each of the keys once the words before it
 * are shown.
 */
async function atTerminal(line: string, ...keys: readonly (readonly [words: string, keys: string])[]) {
  const command = `stty rows 40 cols 100 && ${process.execPath} dist/bin.js init ${line}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, WEBENGAGE_API_KEY: '' },
    timeout: TIMEOUT_MS,
  });
  let shown = '';
  const left = [...keys];
  child.stdout.on('data', (chunk) => {
    shown += chunk;
    const [next] = left;
    if (next === undefined || !shown.includes(next[0])) return;
    left.shift();
    child.stdin.write(next[1]);
  });
  const [code] = await once(child, 'close');
  return { code, shown };
}

// With the tool of util-linux.
describe.skipIf(process.platform !== 'linux')('at a terminal', { timeout: 2 * TIMEOUT_MS }, () => {
  test('a typed key is not shown, and Ctrl-C after it leaves no file', async () => {
    const dir = join(scratch, 'interrupted');

    const { code, shown } = await atTerminal(
      `${dir} ${FLAGS}`,
      ['API key', 'a-key-of-mine\r'],
      ['empty call', '\u0003'],
    );

    expect(shown).toContain('empty call');
    expect(shown).not.toContain('a-key');
    expect(shown).toContain('interrupted. Nothing was written.');
    expect(code).toBe(130);
    expect(existsSync(dir)).toBe(false);
  });

  test('piped output turns the questions off, and every missing answer is reported', async () => {
    const dir = join(scratch, 'piped');

    const answers = await atTerminal(`${dir} | cat`);
    const key = await atTerminal(`${dir} ${FLAGS} | cat`);

    expect(answers.shown).toContain('--license and --origins must be given');
    expect(key.shown).toContain('WEBENGAGE_API_KEY must not be empty');
    expect(existsSync(dir)).toBe(false);
  });
});
