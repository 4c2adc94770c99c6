import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { understood } from '../fakes/cli/command-line.ts';
import { commandsIn, type ShownCommand, unchecked } from './commands.ts';
import { samplesOf } from './samples.ts';

const {
  name: ourselves,
  scripts,
  dependencies,
  devDependencies,
} = JSON.parse(readFileSync('package.json', 'utf8'));

const shown = samplesOf('sh').flatMap(({ name, text }) =>
  commandsIn(text).map((words) => ({ name, words, line: words.join(' ') })),
);
const startingWith = (...start: readonly string[]) =>
  shown.filter(({ words }) => start.every((word, at) => words[at]?.split('@')[0] === word));

describe('npx webengage-relay', () => {
  test.each(startingWith('npx', ourselves))('$name: $line', async ({ words: [, , ...args] }) => {
    expect(await understood(args)).toMatchObject({ command: args[0], complained: '' });
  });
});

describe('npx wrangler', () => {
  /** What Wrangler says of a command of its own, asked once. */
  const helpTexts = new Map<string, Promise<string>>();
  function helpOf(command: string): Promise<string> {
    const help =
      helpTexts.get(command) ??
      promisify(execFile)(
        process.execPath,
        ['node_modules/wrangler/bin/wrangler.js', ...command.split(' '), '--help'],
        { env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } },
      ).then(({ stdout }) => stdout);
    helpTexts.set(command, help);
    return help;
  }
  /** Its name, which is up to what it is given: `secret put` of `secret put ADMIN_TOKEN`. */
  const commandOf = (args: ShownCommand) => /^[a-z]+( [a-z]+)*/.exec(args.join(' '))?.[0] ?? '';

  test.concurrent.each(startingWith('npx', 'wrangler'))(
    '$name: $line',
    async ({ words: [, , ...args] }) => {
      const command = commandOf(args);
      const help = await helpOf(command);

      // Of a command that it has not it tells the one above.
      expect(help).toMatch(new RegExp(`^wrangler ${command}( [<[]|\\n)`));
      expect(help).not.toContain('\nCOMMANDS\n');
      for (const flag of args.filter((each) => each.startsWith('--'))) expect(help).toContain(` ${flag} `);
      const config = args[args.indexOf('--config') + 1] ?? '';
      if (args.includes('--config')) expect(existsSync(config), config).toBe(true);
    },
    30_000,
  );
});

describe('npm', () => {
  test.each(startingWith('npm'))('$name: $line', ({ words: [, verb = '', ...args] }) => {
    if (verb === 'run') expect(Object.keys(scripts)).toContain(args[0]);
    else if (verb === 'test') expect(scripts).toHaveProperty('test');
    else if (verb === 'ci') expect(existsSync('package-lock.json')).toBe(true);
    else
      for (const each of args) {
        const known = [ourselves, ...Object.keys({ ...dependencies, ...devDependencies })];
        if (each.startsWith('-')) expect(['--save-exact', '--save-dev']).toContain(each);
        else expect(known).toContain(each.replace(/@(latest|<version>)$/, ''));
      }
  });
});

test('each of them is checked', () => {
  const looked = [startingWith('npx', ourselves), startingWith('npx', 'wrangler'), startingWith('npm')];

  for (const found of looked) expect(found.length).toBeGreaterThan(3);
});

describe('a script', () => {
  test('is read as a shell reads it', () => {
    const script = `npm ci && npm test   # one; 'two
a --b "c d" 'e "f"' -d '{
  "g": 1 }' | jq . > out.json
  # nothing
h \\
  -i#j < in`;

    expect(commandsIn(script)).toEqual([
      ['npm', 'ci'],
      ['npm', 'test'],
      ['a', '--b', 'c d', 'e "f"', '-d', '{\n  "g": 1 }'],
      ['jq', '.'],
      ['h', '-i#j'],
    ]);
  });

  test('contains the parts that only running it can check', () => {
    expect(unchecked('npm ci && cat a | jq .\nnpx webengage-relay@0.1.0 doctor x\nnpx other')).toEqual([
      'cat a',
      'jq .',
      'npx other',
    ]);
  });
});
