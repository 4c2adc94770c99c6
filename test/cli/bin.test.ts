import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Script } from 'node:vm';
import { describe, expect, test } from 'vitest';

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
/** Without the zeros at its end: `22` for `>=22.0.0`. */
const minimumOf = (path: string) => /^>=([\d.]+?)(\.0)*$/.exec(json(path).engines.node)?.[1];

const OURS = minimumOf('package.json');
const WRANGLERS = minimumOf('node_modules/wrangler/package.json');

/** Runs the command as a Node of that version reads it: as a classic script, in which a static import is an error. */
function runUnder(version: string, ...args: readonly string[]) {
  const complained: string[] = [];
  const process: { exitCode?: number } & Record<string, unknown> = {
    argv: ['node', 'webengage-relay', ...args],
    versions: { node: version },
  };
  const script = new Script(readFileSync('dist/bin.js', 'utf8').replace(/^#!.*/, ''));

  script.runInNewContext({ process, console: { error: (line: string) => void complained.push(line) } });

  return { complained, exitCode: process.exitCode };
}

describe('a command under a Node that is too old ends with a one-line error', () => {
  test.each([
    ['18.20.8', 'doctor https://t.example.com', OURS],
    ['20.12.2', 'types', OURS],
    ['10.24.1', '--version', OURS],
    ['18.20.8', 'init --no-secrets', OURS],
    ['20.20.2', 'dev', WRANGLERS],
    ['20.20.2', 'dev --port 8080', WRANGLERS],
    ['21.7.3', 'init my-relay', WRANGLERS],
  ])('Node %s: %s needs %s', (version, line, needed) => {
    const { complained, exitCode } = runUnder(version, ...line.split(' '));

    expect(complained).toEqual([
      expect.stringMatching(
        new RegExp(
          `^webengage-relay: .* Node ${needed} or later; this is Node ${version}: https://nodejs.org$`,
        ),
      ),
    ]);
    expect(exitCode).toBe(1);
  });

  test('dev and init name Wrangler as the reason', () => {
    expect(runUnder('20.20.2', 'dev').complained.join()).toContain('dev runs Wrangler, which needs Node');
  });
});

test('the command runs under the Node that runs the tests', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/bin.js', '--version']);

  expect(stdout.trim()).toBe(json('package.json').version);
});

test('npx starts the file that checks the version', () => {
  expect(Object.values(json('package.json').bin)).toEqual(['./dist/bin.js']);
  expect(readFileSync('dist/bin.js', 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});
