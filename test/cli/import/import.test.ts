import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importFile } from '../../../src/cli/import/import.ts';
import type { ImportOptions } from '../../../src/cli/import/options.ts';
import { NOW } from '../../fakes/import/imported.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webengage-relay-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

const DAY_MS = 24 * 60 * 60 * 1000;

// Defaults of the command line, which checking does not use.
const SENDING = { tokenEnv: 'SERVER_TOKEN', requestsPerMinute: 250 };

async function run(options: Partial<ImportOptions>, stdin: string | Uint8Array = '') {
  const said: string[] = [];
  const complained: string[] = [];
  const progress = new PassThrough({ encoding: 'utf8' });
  const code = await importFile(
    {
      file: '-',
      kind: 'users',
      timeZone: 'UTC',
      maxEventAge: 31 * DAY_MS,
      dryRun: true,
      ...SENDING,
      ...options,
    },
    {
      say: (text) => void said.push(text),
      complain: (line) => void complained.push(line),
      stdin: Readable.from([Buffer.from(stdin)]),
      progress,
      env: { SERVER_TOKEN: 'a-server-token-of-enough-characters', WEBENGAGE_API_KEY: 'a-key' },
      now: () => NOW,
    },
  );
  return { code, said: said.join('\n'), complained, noted: String(progress.read() ?? '') };
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const USERS =
  'User ID,E-mail,phone,Plan\nu1,ann@example.com,+491,gold\nu2,bob@example.com,0151,gold\nu3,,0152,\n';

const TABLE = `column   field            type    decided by
User ID  userId           string  by its name; WebEngage’s type
E-mail   email            string  by its name; WebEngage’s type
phone    phone            string  by its name; WebEngage’s type
Plan     attributes.Plan  string  by its name; text

3 rows: 1 good, 2 refused

rows  refused because                        row numbers, without the header
2     phone must be E.164, as +551155256325  2, 3`;

test('a dry run shows the columns and the reasons, and no value of any row', async () => {
  const { code, said, complained } = await run({ file: await file('users.csv', USERS) });

  expect(
    said
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n'),
  ).toBe(TABLE);
  expect([code, complained]).toEqual([3, []]);
  expect(said).not.toMatch(/ann@|gold|0151/);
});

test('good rows end with 0, from a file, from gzip, and from standard input', async () => {
  const good = USERS.replace(/015/g, '+4915');

  expect((await run({ file: await file('good.csv', good) })).code).toBe(0);
  expect((await run({ file: await file('good.csv.gz', gzipSync(good)) })).code).toBe(0);
  expect((await run({ file: '-' }, good)).code).toBe(0);
  expect((await run({ file: '-' }, gzipSync(good))).code).toBe(0);
});

test('no message has a control character from the file, which a terminal would obey', async () => {
  const { complained } = await run({ file: await file('twice.csv', 'userId,a\u009b2J,a\u009b2J\nu1,1,2\n') });

  expect(complained).toEqual([expect.stringContaining('are both named "a 2J"')]);
});

test('with --json, the same is one document', async () => {
  const { code, said } = await run({ file: await file('users.csv', USERS), json: true });

  expect(code).toBe(3);
  expect(JSON.parse(said)).toEqual({
    digest: expect.stringMatching(/^[\da-f]{64}$/),
    columns: expect.arrayContaining([
      { name: 'E-mail', field: 'email', type: 'string', decided: 'by its name; WebEngage’s type' },
    ]),
    rows: 3,
    good: 1,
    refused: 2,
    repaired: 0,
    reasons: [{ path: 'phone', message: 'must be E.164, as +551155256325', rows: 2, firstRows: [2, 3] }],
    repairs: [],
    otherReasons: 0,
  });
});

test('with --repair, each change is reported', async () => {
  const { code, said } = await run({ file: await file('users.csv', USERS), repair: true });

  expect(code).toBe(0);
  expect(said).toContain('3 rows: 3 good, 0 refused, 2 of the good ones repaired');
  expect(said).toContain('2     phone must be E.164, as +551155256325: left out  2, 3');
});

describe('refused rows go to a file', () => {
  test.each([
    ['a list', (deep: string) => deep],
    ['an object', (deep: string) => `{"userId":"u2","x":${deep}}`],
  ])('as text if %s is nested deeper than the stack', async (_, rowOf) => {
    const row = rowOf('['.repeat(200_000) + ']'.repeat(200_000));
    const rejects = join(folder, 'deep-rejects.ndjson');

    const { code, complained } = await run({
      file: await file('deep.ndjson', `{"userId":"u1"}\n${row}\n`),
      rejects,
    });

    expect([code, complained]).toEqual([3, []]);
    expect(JSON.parse(await readFile(rejects, 'utf8')).row).toBe(row);
  });

  test('that only this user may read, even if it was there before', async () => {
    const rejects = await file('rejects.ndjson', 'old');

    await run({ file: await file('users.csv', USERS), rejects });

    const lines = (await readFile(rejects, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        number: 2,
        line: 3,
        reasons: ['phone must be E.164, as +551155256325'],
        row: { 'User ID': 'u2', 'E-mail': 'bob@example.com', phone: '0151', Plan: 'gold' },
      },
      {
        number: 3,
        line: 4,
        reasons: ['phone must be E.164, as +551155256325'],
        row: { 'User ID': 'u3', 'E-mail': '', phone: '0152', Plan: '' },
      },
    ]);
    if (process.platform !== 'win32') expect((await stat(rejects)).mode & 0o777).toBe(0o600);
  });

  test('which is not the imported one', async () => {
    const path = await file('users.csv', USERS);

    const { code, complained } = await run({ file: path, rejects: path });

    expect([code, complained]).toEqual([1, ['--rejects is the imported file itself: name another one']]);
    expect(await readFile(path, 'utf8')).toBe(USERS);
  });

  test('and one that can’t be written is named', async () => {
    const rejects = join(folder, 'missing', 'rejects.ndjson');

    const { code, complained } = await run({ file: await file('users.csv', USERS), rejects });

    expect([code, complained]).toEqual([1, [`${rejects} can't be written: ENOENT`]]);
  });

  test.skipIf(process.platform !== 'linux')('and a full disk is named, with the remedy', async () => {
    const { code, complained } = await run({ file: await file('users.csv', USERS), rejects: '/dev/full' });

    expect([code, complained]).toEqual([
      1,
      ["/dev/full can't be written: the disk is full: name a file on another one"],
    ]);
  });
});

describe('the user’s word about columns', () => {
  test('--column goes before --map, and both are shown', async () => {
    const map = await file('map.json', '{ "Plan": "attributes.Level", "phone": null }');

    const { said } = await run({
      file: await file('users.csv', USERS),
      map,
      column: [['phone', { field: 'attributes.Phone' }]],
    });

    expect(said).toMatch(/^phone +attributes\.Phone +string +--column; text$/m);
    expect(said).toMatch(/^Plan +attributes\.Level +string +--map; text$/m);
  });

  test.each([
    ['{ "a": 1 }', 'a must be a field, null, or an object with field, type and dateFormat'],
    ['{ "a": "email", "a": null }', 'a must be given only once'],
    ['[', 'is not JSON: '],
  ])('a map that is wrong is named: %j', async (content, message) => {
    const map = await file('map.json', content);

    const { code, complained } = await run({ file: await file('users.csv', USERS), map });

    expect(code).toBe(1);
    expect(complained).toEqual([expect.stringContaining(`${map}: ${message}`)]);
  });

  test('a plan that is wrong, a column that is named twice, and a file that is missing', async () => {
    const path = await file('users.csv', USERS);
    const plan = await file('plan.json', '{}');

    expect((await run({ file: path, plan })).complained).toEqual([`${plan}: events is required`]);
    expect(
      (
        await run({
          file: path,
          column: [
            ['a', null],
            ['a', null],
          ],
        })
      ).complained,
    ).toEqual(['--column names "a" twice: leave one out']);
    expect((await run({ file: join(folder, 'none') })).complained).toEqual([
      `${join(folder, 'none')} can't be read: there is no such file`,
    ]);
  });
});

describe('the built command', () => {
  test.each([
    ['userId,phone\nu1,+491\n', 0, '1 row: 1 good, 0 refused', ''],
    ['userId,phone\nu1,0151\n', 3, 'phone must be E.164', ''],
    ['name\nu1\n', 1, '', 'webengage-relay: no column is for userId or anonymousId'],
    [
      'userId,phone\n"u1,0151\n',
      1,
      '',
      'webengage-relay: standard input, line 2 (row 1): a cell begins with a quote',
    ],
  ])('reads standard input: %j ends with %d', (input, code, said, complained) => {
    const args = ['dist/bin.js', 'import', '-', '--kind', 'users', '--dry-run'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { input, encoding: 'utf8' });

    expect(status).toBe(code);
    expect(stdout).toContain(said);
    expect(stderr).toContain(complained);
    expect(stderr === '').toBe(complained === '');
  });
});

test('names from a file can’t control the terminal', async () => {
  const { said } = await run({}, 'userId,\u001b[31mred\u0007\nu1,1\n');

  expect(said).toContain('[31mred');
  expect(said.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});

describe('with a journal that stays', () => {
  const EVENTS = `userId,eventName,eventTime
u1,Bought,2026-11-20T10:00:00Z
u2,Bought,2024-11-20T10:00:00Z
u3,Bought,not a date
`;

  /** A relay that takes everything, and the names of the users whose events it was sent. */
  async function relay() {
    const users: string[] = [];
    const server = createServer(async (request, response) => {
      const { records } = (await json(request)) as { records: { userId: string }[] };
      users.push(...records.map(({ userId }) => userId));
      const answer = {
        response: { status: 'queued' },
        accepted: records.length,
        duplicates: 0,
        rejected: [],
      };
      response.writeHead(202).end(JSON.stringify(answer));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { users, url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() };
  }

  test('a run with more lenient options sends what an earlier one refused, and nothing twice', async () => {
    using taking = await relay();
    const options: Partial<ImportOptions> = {
      file: await file('events.csv', EVENTS),
      kind: 'events',
      dryRun: false,
      relay: taking.url,
      journal: join(folder, 'journal'),
      rejects: join(folder, 'rejects.ndjson'),
    };

    const first = await run(options);
    expect([first.code, taking.users]).toEqual([3, ['u1']]);
    expect(first.said).toContain('3 rows: 1 sent, 2 refused');

    const second = await run({ ...options, allowOldEvents: true });
    expect([second.code, taking.users]).toEqual([3, ['u1', 'u2']]);
    expect(second.noted).toContain(
      `${options.journal} says that 1 of 3 rows are sent: the others are checked again`,
    );
    expect(second.said).toContain('3 rows: 2 sent, 1 refused');
    expect(JSON.parse(await readFile(join(folder, 'rejects.ndjson'), 'utf8'))).toMatchObject({ number: 3 });
  });

  test('the same command again sends nothing once all rows are sent', async () => {
    using taking = await relay();
    const options: Partial<ImportOptions> = {
      file: await file('users.csv', 'userId\nu1\nu2\n'),
      dryRun: false,
      relay: taking.url,
      journal: join(folder, 'complete-journal'),
    };

    await run(options);
    const second = await run(options);

    expect([second.code, taking.users]).toEqual([0, ['u1', 'u2']]);
    expect(second.noted).toContain('says that 2 of 2 rows are sent: nothing is left to send');
  });
});

describe('when every row is refused before it is sent', () => {
  const REFUSED = 'User ID,phone\nu1,0151\nu2,0152\n';

  test.each([
    [{ relay: 'http://127.0.0.1:9' }, 'the token in SERVER_TOKEN'],
    [{ direct: true, licenseCode: '~abc' }, 'the API key in WEBENGAGE_API_KEY'],
  ])('with %j, the summary says that nothing was sent, and what is not checked', async (way, credential) => {
    const path = await file('refused.csv', REFUSED);

    const { code, said } = await run({ file: path, dryRun: false, ...way });

    expect(code).toBe(3);
    expect(said).toContain('2 rows: 0 sent, 2 refused');
    expect(said).toMatch(new RegExp(`no row was sent in this run, so ${credential} is not checked$`));
  });

  test('the report as JSON says that nobody has answered', async () => {
    const path = await file('refused-too.csv', REFUSED);

    const { said } = await run({ file: path, dryRun: false, json: true, relay: 'http://127.0.0.1:9' });

    const report = JSON.parse(said.split('\n').at(-1) ?? '');
    expect(report).toMatchObject({ outcome: 'complete', sent: 0, refused: 2, answered: false });
  });
});
