import { describe, expect, test } from 'vitest';
import { destinationOf } from '../../../src/cli/import/destination.ts';
import { onInterrupt } from '../../../src/cli/import/interrupts.ts';
import type { ImportOptions } from '../../../src/cli/import/options.ts';
import {
  durationOf,
  progressJson,
  progressLines,
  progressText,
} from '../../../src/cli/import/progress-view.ts';
import { sentLines } from '../../../src/cli/import/report-text.ts';
import { understood } from '../../fakes/cli/command-line.ts';

const TOKEN = 'a-server-token-of-enough-characters';
const KEY = 'a-key-that-must-not-leak';
const PROGRESS = {
  rows: 200_000,
  accepted: 11_990,
  refused: 10,
  left: 188_000,
  rowsPerSecond: 204,
  allowanceShare: 0.9799,
  secondsLeft: 922,
};

const options = (given: Partial<ImportOptions> = {}): ImportOptions => ({
  file: 'users.csv',
  kind: 'users',
  timeZone: 'UTC',
  maxEventAge: 1,
  tokenEnv: 'SERVER_TOKEN',
  requestsPerMinute: 250,
  ...given,
});

describe('where the rows go', () => {
  test.each([
    ['', 'say where the rows go: --relay <url>, or --direct. Or only check them: --dry-run'],
    ['--relay t.example.com --direct', 'use --relay or --direct, not both'],
    ['--relay *', '--relay must be an http or https URL such as https://t.example.com'],
    ['--direct --region eu', '--region must be one of global, in, ksa'],
    ['--direct --requests-per-minute 1', '--requests-per-minute must be a whole number from 2 to 10000'],
    [`--token ${TOKEN}`, "there is no --token, because a secret in a flag stays in the shell's history"],
  ])('is said wrongly by “%s”', async (flags, message) => {
    const line = ['import', 'users.csv', '--kind', 'users', ...flags.split(' ').filter(Boolean)];

    const { code, complained, command } = await understood(line);

    expect([code, command]).toEqual([2, undefined]);
    expect(complained).toContain(message);
    expect(complained).not.toContain(TOKEN);
  });

  test('is a relay, with a token from a variable', async () => {
    const line = 'import users.csv --kind users --relay t.example.com/ --token-env IMPORT_TOKEN';

    expect(await understood(line.split(' '))).toMatchObject({
      command: 'import',
      options: {
        file: 'users.csv',
        relay: 'https://t.example.com',
        tokenEnv: 'IMPORT_TOKEN',
        requestsPerMinute: 250,
      },
    });
  });

  test.each([
    [
      'without a token',
      { relay: 'https://t.example.com' },
      {},
      'the variable SERVER_TOKEN is not set: it must hold a server token of https://t.example.com',
    ],
    [
      'with a token that no header can hold',
      { relay: 'https://t.example.com' },
      { SERVER_TOKEN: 'a token' },
      'SERVER_TOKEN must be printable ASCII without spaces',
    ],
    [
      'with a token that would go over http',
      { relay: 'http://t.example.com' },
      { SERVER_TOKEN: TOKEN },
      'the token is only sent over https: use an https address for --relay',
    ],
    [
      'without a key',
      { direct: true, licenseCode: '~abc' },
      {},
      'the variable WEBENGAGE_API_KEY must hold the API key: printable ASCII without spaces',
    ],
    [
      'without a license code',
      { direct: true },
      { WEBENGAGE_API_KEY: KEY },
      '--license-code must be set, and hold only letters, digits, ~, _ and -',
    ],
    [
      'with a host that is not WebEngage’s',
      { direct: true, licenseCode: '~abc' },
      { WEBENGAGE_API_KEY: KEY, WEBENGAGE_HOST: 'elsewhere.example' },
      'WEBENGAGE_HOST must be a host of WebEngage, or http on 127.0.0.1 in development',
    ],
  ])('is refused %s', (_, given, env, message) => {
    expect(destinationOf(options(given), env)).toEqual({ ok: false, message });
  });

  test.each([
    [{ relay: 'https://t.example.com' }, { SERVER_TOKEN: `${TOKEN}\n` }, 'https://t.example.com', false],
    [
      { direct: true, licenseCode: '~abc', region: 'in' },
      { WEBENGAGE_API_KEY: KEY, WEBENGAGE_HOST: 'http://127.0.0.1:1' },
      'https://api.in.webengage.com for ~abc',
      true,
    ],
    [
      { direct: true },
      { WEBENGAGE_API_KEY: KEY, WEBENGAGE_LICENSE_CODE: '~abc', WEBENGAGE_REGION: 'ksa' },
      'https://api.ksa.webengage.com for ~abc',
      true,
    ],
  ] as const)('%o is %o', (given, env, into, needsJournal) => {
    expect(destinationOf(options(given), env)).toMatchObject({ ok: true, into, needsJournal });
  });
});

describe('Ctrl-C', () => {
  function listening() {
    const heard: string[] = [];
    const listeners = new Map<string, () => void>();
    const clock = { now: 0 };
    const stop = onInterrupt(
      { on: (signal, run) => listeners.set(signal, run), off: (signal) => listeners.delete(signal) },
      () => clock.now,
      () => heard.push('first'),
      () => heard.push('again'),
    );
    return { heard, clock, stop, listeners, press: () => listeners.get('SIGINT')?.() };
  }

  test('a second one ends the process at once', () => {
    const { heard, clock, press } = listening();

    press();
    clock.now = 1_000;
    press();

    expect(heard).toEqual(['first', 'again']);
  });

  test('the same one, passed on by npx, is not a second one', () => {
    const { heard, clock, press } = listening();

    press();
    clock.now = 20;
    press();

    expect(heard).toEqual(['first']);
  });

  test('is no longer listened to after the run', () => {
    const { stop, listeners } = listening();

    stop();

    expect(listeners.size).toBe(0);
  });
});

describe('progress', () => {
  test('names accepted and refused rows, rows still to be sent, rate, share and time left', () => {
    expect(progressText(PROGRESS)).toBe(
      '11,990 rows accepted, 10 refused, 188,000 to send, 204 a second, 97 % of the allowance, 15 min 22 s left',
    );
  });

  test('has no time left while there is no rate', () => {
    expect(
      progressText({ ...PROGRESS, refused: 0, rowsPerSecond: 0, allowanceShare: 0, secondsLeft: undefined }),
    ).toBe('11,990 rows accepted, 188,000 to send, 0 a second, 0 % of the allowance');
  });

  test.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [3_599, '59 min 59 s'],
    [3_600, '1 h'],
    [7_385, '2 h 3 min'],
  ])('writes %i seconds as %s', (seconds, text) => {
    expect(durationOf(seconds)).toBe(text);
  });

  test('is a line every ten seconds where there is no terminal', () => {
    const lines: string[] = [];
    const clock = { now: 0 };
    const view = progressLines(
      (line) => lines.push(line),
      () => clock.now,
      progressJson,
    );

    for (clock.now = 1_000; clock.now <= 30_000; clock.now += 1_000) view.show(PROGRESS);

    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[0] ?? '')).toEqual({ type: 'progress', ...PROGRESS });
  });
});

describe('the report at the end', () => {
  const report = {
    rows: 10_000,
    good: 9_990,
    refused: 10,
    repaired: 0,
    reasons: [{ path: 'email', message: 'must be text', rows: 10, firstRows: [3, 7] }],
    repairs: [],
    otherReasons: 0,
  };

  test('counts sent and refused rows, and names the first rows of each reason', () => {
    expect(sentLines(report, 0, 10_000)).toEqual([
      '10,000 rows: 9,990 sent, 10 refused',
      '',
      'rows  refused because     row numbers, without the header',
      '10    email must be text  3, 7, …',
    ]);
  });

  test('counts rows that the relay had already, and rows that are not yet sent', () => {
    expect(sentLines(report, 400, 12_000)[0]).toBe(
      '12,000 rows: 9,990 sent, 10 refused, 400 of the sent ones were at the relay already, 2,000 not yet sent',
    );
  });
});
