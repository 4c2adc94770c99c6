import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openImport } from '../../../src/import/read/open-import.ts';
import { type Plan, parsePlan } from '../../../src/plan/plan.ts';
import { columns, NOW, opened, rowsFrom, rowsOf } from '../../fakes/import/imported.ts';
import { all, memoryFile } from '../../fakes/import/memory-file.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

const USERS = `User ID,E-mail,first_name,Phone,Birth date,email opt-in,Plan,Orders,VIP,Signup
u1,ann@example.com,Ann,+4915112345678,1990-04-03,yes,gold,3,true,2026-01-02
u2,bob@example.com,,,,,,,,
`;

test('a CSV of users becomes records: fields by their names, and attributes by those of the columns', async () => {
  const rows = await rowsOf(USERS);

  expect(rows).toEqual([
    {
      number: 1,
      line: 2,
      record: {
        kind: 'user',
        userId: 'u1',
        email: 'ann@example.com',
        firstName: 'Ann',
        phone: '+4915112345678',
        birthDate: '1990-04-03T12:00:00+0000',
        emailOptIn: true,
        attributes: { Plan: 'gold', Orders: 3, VIP: true, Signup: '2026-01-02T00:00:00+0000' },
      },
      repairs: undefined,
    },
    {
      number: 2,
      line: 3,
      record: { kind: 'user', userId: 'u2', email: 'bob@example.com' },
      repairs: undefined,
    },
  ]);
});

test('the table says for each column what it becomes, and why', async () => {
  const { columns: table, rows } = await opened(`${USERS}u3,,,,,,,,,\n`, {
    choices: columns({ Plan: 'attributes.Level', VIP: null }),
    timeZone: 'Europe/Berlin',
  });

  expect(rows).toBe(3);
  expect(table.map(({ name, field, type, decided }) => `${name} | ${field} | ${type} | ${decided}`)).toEqual([
    'User ID | userId | string | by its name; WebEngage’s type',
    'E-mail | email | string | by its name; WebEngage’s type',
    'first_name | firstName | string | by its name; WebEngage’s type',
    'Phone | phone | string | by its name; WebEngage’s type',
    'Birth date | birthDate | date | by its name; WebEngage’s type; iso, in Europe/Berlin without a zone',
    'email opt-in | emailOptIn | boolean | by its name; WebEngage’s type',
    'Plan | attributes.Level | string | --column; text',
    'Orders | attributes.Orders | number | by its name; every value is a number',
    'VIP | undefined | undefined | left out by --column',
    'Signup | attributes.Signup | date | by its name; every value is a date; iso, in Europe/Berlin without a zone',
  ]);
});

describe('the same rows come from every format', () => {
  const objects = [
    { userId: 'u1', email: 'ann@example.com', Orders: 3 },
    { userId: 'u2', email: null, attributes: { Orders: 4 } },
  ];
  const csv = 'userId;email;attributes.Orders\r\nu1;ann@example.com;3\r\nu2;;4\r\n';
  const flat = objects.map(({ userId, email, Orders, attributes }) => ({
    userId,
    email,
    'attributes.Orders': Orders ?? attributes?.Orders,
  }));

  test.each([
    ['CSV', csv],
    ['CSV with a mark', `\uFEFF${csv}`],
    ['an array', JSON.stringify(flat)],
    ['an array over many lines', JSON.stringify(flat, null, 2)],
    ['NDJSON', flat.map((object) => JSON.stringify(object)).join('\n')],
  ])('%s, and its gzip', async (_, content) => {
    for (const bytes of [content, gzipSync(content)])
      expect((await rowsOf(bytes)).map((row) => row.record)).toEqual([
        { kind: 'user', userId: 'u1', email: 'ann@example.com', attributes: { Orders: 3 } },
        { kind: 'user', userId: 'u2', attributes: { Orders: 4 } },
      ]);
  });
});

test('a source is read again and again, with any of its rows', async () => {
  const source = await opened(USERS);

  const first = await rowsFrom(source);
  expect(await rowsFrom(source)).toEqual(first);
  expect(await rowsFrom(source, (number) => number > 1)).toEqual(first.slice(1));
  expect(await rowsFrom(source, (number) => number > 2)).toEqual([]);
});

test('a file that changes after the first pass ends the second', async () => {
  const file = memoryFile(USERS);
  const source = await openImport(file, {
    kind: 'user',
    choices: new Map(),
    timeZone: 'UTC',
    repair: false,
    maxEventAgeMs: undefined,
    now: NOW,
  });

  file.bytes = Buffer.from(USERS.replace('ann@', 'eve@'));

  await expect(all(source.read())).rejects.toThrow('people.csv has changed while it was read');
});

describe('rows that break a rule are refused, each with its reasons', () => {
  test('and the others are not affected', async () => {
    const rows = await rowsOf(
      'userId,phone,gender,Plan\nu1,0151,male,gold\n,+491,male,\nu3,+491,Male,\nu4,+491,other,gold\n',
    );

    expect(rows.map((row) => row.issues ?? 'good')).toEqual([
      ['phone must be E.164, as +551155256325'],
      ['userId is required, unless there is an anonymousId'],
      ['gender must be male, female or other'],
      'good',
    ]);
    expect(rows[0]?.row).toEqual({ userId: 'u1', phone: '0151', gender: 'male', Plan: 'gold' });
  });

  test('a value that is not of its type', async () => {
    const map = new Map([
      ['Score', { choice: { field: 'attributes.Score', type: 'number' as const }, from: '--map' as const }],
    ]);

    const rows = await rowsOf('userId,Score,email_opt_in\nu1,high,on\nu2,3,no\n', { choices: map });

    expect(rows.map((row) => row.issues ?? row.record)).toEqual([
      [
        'attributes.Score must be a number such as 1234.5, of at most 15 digits',
        'emailOptIn must be true or false, yes or no, 1 or 0',
      ],
      { kind: 'user', userId: 'u2', emailOptIn: false, attributes: { Score: 3 } },
    ]);
  });

  test('a cell of two megabytes', async () => {
    const rows = await rowsOf(`userId,Note\nu1,${'x'.repeat(2_000_000)}\nu2,short\n`);

    expect(rows.map((row) => row.issues ?? 'good')).toEqual([
      ['attributes.Note must be well-formed text of 0 to 999 characters'],
      'good',
    ]);
  });

  test('an object in a column of text, and a number that lost its last digits', async () => {
    const rows = await rowsOf(
      '{"userId":"u1","a":"text"}\n{"userId":"u2","a":{}}\n{"userId":12345678901234567890}\n{"userId":17}',
    );

    expect(rows.map((row) => row.issues ?? row.record)).toEqual([
      { kind: 'user', userId: 'u1', attributes: { a: 'text' } },
      ['attributes.a must be text, or a number of at most 15 digits'],
      ['userId must be text, or a number of at most 15 digits'],
      { kind: 'user', userId: '17' },
    ]);
  });
});

test('with repair, a value that breaks a rule is cut or left out, and reported', async () => {
  const rows = await rowsOf(`userId,phone,Note,email_opt_in\nu1,0151,${'x'.repeat(1_200)},on\n,+491,,\n`, {
    repair: true,
  });

  expect(rows[0]).toMatchObject({
    record: { kind: 'user', userId: 'u1', attributes: { Note: 'x'.repeat(999) } },
    repairs: [
      { path: 'emailOptIn', done: 'left_out' },
      { path: 'phone', rule: 'must be E.164, as +551155256325', done: 'left_out' },
      { path: 'attributes.Note', done: 'cut' },
    ],
  });
  expect(rows[1]?.issues).toEqual(['userId is required, unless there is an anonymousId']);
});

describe('events', () => {
  const EVENTS = `userId,eventName,eventTime,Price
u1,Ordered,2026-11-22T10:00:00Z,9.50
u1,Ordered,2026-10-20T10:00:00Z,7
u1,Ordered,,7
u1,we_ordered,2026-11-22 10:00,7
`;
  const TOO_OLD =
    'eventTime must be within 31 days, because older events still start journeys: to send them, use --allow-old-events';

  test('that are too old, or have no time, are refused', async () => {
    const rows = await rowsOf(EVENTS, { kind: 'event' });

    expect(rows.map((row) => row.issues ?? row.record)).toEqual([
      {
        kind: 'event',
        userId: 'u1',
        eventName: 'Ordered',
        eventTime: '2026-11-22T10:00:00+0000',
        eventData: { Price: 9.5 },
      },
      [TOO_OLD],
      ['eventTime is required: without it, the event would happen at the import'],
      ['eventName must not start with we_'],
    ]);
  });

  test.each([
    ['2026-10-23T12:00:00Z', 31, 'good'],
    ['2026-10-23T11:59:59Z', 31, 'refused'],
    ['2026-11-23T11:00:00Z', 1 / 24, 'good'],
    ['2026-11-23T10:59:59Z', 1 / 24, 'refused'],
    ['1999-01-01T00:00:00Z', undefined, 'good'],
  ])('of %s with at most %s days are %s', async (time, days, expected) => {
    const [row] = await rowsOf(`userId,eventName,eventTime\nu1,Ordered,${time}\n`, {
      kind: 'event',
      maxEventAgeMs: days === undefined ? undefined : days * DAY_MS,
    });

    expect(row?.issues === undefined ? 'good' : 'refused').toBe(expected);
  });

  test('that an earlier run found good are the same, whatever has changed since', async () => {
    const tooLong = 'x'.repeat(2_000);
    const file = memoryFile(`userId,eventName,eventTime,Note\nu1,Ordered,2026-10-24T10:00:00Z,${tooLong}\n`);
    const options = {
      kind: 'event',
      choices: new Map(),
      timeZone: 'UTC',
      maxEventAgeMs: 31 * DAY_MS,
    } as const;
    const [first] = await all((await openImport(file, { ...options, repair: true, now: NOW })).read());

    const plan = planOf({ events: { Left: { properties: {} } } });
    const later = await openImport(file, { ...options, repair: false, plan, now: NOW + 2 * DAY_MS });

    expect(await all(later.read())).toMatchObject([{ ok: false }]);
    expect(await all(later.readAgain(() => true))).toEqual([first]);
    expect(first).toMatchObject({ ok: true, repairs: [{ path: 'eventData.Note', done: 'cut' }] });
  });

  test('get the types of the tracking plan, each event its own', async () => {
    const plan = planOf({
      events: {
        Ordered: { properties: { Amount: 'number', Code: 'string' } },
        Returned: { properties: { Amount: 'string', Code: 'string' } },
      },
    });

    const rows = await rowsOf(
      'userId,eventName,eventTime,Amount,Code\nu1,Ordered,2026-11-22,5,1\nu1,Returned,2026-11-22,5,1\nu1,Ordered,2026-11-22,five,1\nu1,Left,2026-11-22,5,1\n',
      { kind: 'event', plan },
    );

    expect(rows.map((row) => row.issues ?? row.record.eventData)).toEqual([
      { Amount: 5, Code: '1' },
      { Amount: '5', Code: '1' },
      ['eventData.Amount must be a number such as 1234.5, of at most 15 digits'],
      ['eventName is not in the tracking plan'],
    ]);
  });
});

test('a tracking plan decides the types of users’ attributes', async () => {
  const plan = planOf({ events: {}, user: { attributes: { Since: 'date', Score: 'string' } } });

  const { columns: table } = await opened('userId,Since,Score\nu1,2026-11-22,5\nu2,soon,5\n', { plan });

  expect(table.slice(1)).toEqual([
    {
      name: 'Since',
      field: 'attributes.Since',
      type: 'date',
      decided: 'by its name; tracking plan; iso, in UTC without a zone',
    },
    { name: 'Score', field: 'attributes.Score', type: 'string', decided: 'by its name; tracking plan' },
  ]);
});

function planOf(json: unknown): Plan {
  const parsed = parsePlan(json);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.plan;
}

test.each(['Customer ID', 'customerId', 'zip', 'Phone', 'mobile'])(
  'numbers in a column “%s” stay text',
  async (name) => {
    const [row] = await rowsOf(`userId,My ${name}\nu1,4711\n`);

    expect(row?.record.attributes).toEqual({ [`My ${name}`]: '4711' });
  },
);

test.each(['Paid', 'Idle', 'Orders'])('numbers in a column “%s” are numbers', async (name) => {
  const [row] = await rowsOf(`userId,${name}\nu1,4711\n`);

  expect(row?.record.attributes).toEqual({ [name]: 4711 });
});

describe('dates that can be read in two ways end the import, with the remedy', () => {
  test.each([
    [
      '01/02/2026',
      'the dates of the column "Signup" may be dd/MM/yyyy or MM/dd/yyyy, as in row 1: say which with --date-format',
    ],
  ])('%s', async (date, message) => {
    await expect(opened(`userId,Signup\nu1,${date}\n`)).rejects.toThrow(message);
  });

  test('in a field that is a date anyhow', async () => {
    await expect(opened('userId,birthDate\nu1,13/02/1990\nu2,02/13/1990\n')).rejects.toThrow(
      'the dates of the column "birthDate" are dd/MM/yyyy in row 1 and MM/dd/yyyy in row 2',
    );
  });

  test('and the remedy helps', async () => {
    const [row] = await rowsOf('userId,Signup\nu1,01/02/2026\n', { dateFormat: 'MM/dd/yyyy' });

    expect(row?.record.attributes).toEqual({ Signup: '2026-01-02T00:00:00+0000' });
  });
});

test('a format for all dates leaves other columns text, and one of a map goes before it', async () => {
  const rows = await rowsOf('userId,Signup,Visit,Note\nu1,13/02/2026,02/13/2026,2026-02-13\n', {
    dateFormat: 'dd/MM/yyyy',
    choices: new Map([
      ['Visit', { choice: { field: 'attributes.Visit', dateFormat: 'MM/dd/yyyy' }, from: '--map' }],
    ]),
  });

  expect(rows[0]?.record.attributes).toEqual({
    Signup: '2026-02-13T00:00:00+0000',
    Visit: '2026-02-13T00:00:00+0000',
    Note: '2026-02-13T00:00:00+0000',
  });
  const [iso] = await rowsOf('userId,Signup\nu1,13/02/2026\n', { dateFormat: 'iso' });
  expect(iso?.record.attributes).toEqual({ Signup: '13/02/2026' });
});

describe('the digest', () => {
  const digest = async (...args: Parameters<typeof opened>) => (await opened(...args)).digest;

  test('is that of the file and of what becomes of its rows', async () => {
    const same = await digest(USERS);
    const others = await Promise.all([
      digest(USERS.replace('ann', 'eve')),
      digest(gzipSync(USERS)),
      digest(USERS, { choices: columns({ Plan: null }) }),
      digest(USERS, { choices: columns({ Plan: 'attributes.Level' }) }),
      digest(USERS, { timeZone: 'Europe/Berlin' }),
      digest(USERS, { dateFormat: 'dd/MM/yyyy' }),
      digest(USERS, { plan: planOf({ events: {}, user: { attributes: { Orders: 'string' } } }) }),
    ]);

    expect(same).toMatch(/^[\da-f]{64}$/);
    expect(new Set([same, ...others]).size).toBe(others.length + 1);
    expect(await digest(USERS)).toBe(same);
  });

  test('stays the same in a run that takes more rows', async () => {
    const same = await digest(USERS);

    expect(await digest(USERS, { maxEventAgeMs: undefined })).toBe(same);
    expect(await digest(USERS, { repair: true })).toBe(same);
    expect(await digest(USERS, { now: NOW + 1 })).toBe(same);
    expect(
      await digest(USERS, { plan: planOf({ events: {}, user: { attributes: { Orders: 'number' } } }) }),
    ).toBe(same);
  });
});

test('a good row says how large it is, and whose it is', async () => {
  const rows = await all((await opened('userId,anonymousId,Name\nu1,a1,Zoë\n,a2,x\n')).read());

  expect(rows.map((row) => row.ok && [row.person, row.bytes === Buffer.byteLength(row.json)])).toEqual([
    ['u1', true],
    ['a2', true],
  ]);
});

test('no text in a file makes the reading fail in another way than with an ImportError', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('userId,a\n', '[', '{"userId":1', ''),
      fc.array(
        fc.oneof(
          fc.constantFrom('"', ',', '\n', '{', '}', '[', ']', ':', 'u1', '1', '2026-01-02', '01/02/2026'),
          fc.string(),
        ),
      ),
      async (start, rest) => {
        try {
          await rowsOf(start + rest.join(''));
        } catch (error) {
          expect(error).toMatchObject({ name: 'ImportError' });
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('an unknown time zone is named', async () => {
  await expect(opened(USERS, { timeZone: 'Berlin' })).rejects.toThrow(
    '--time-zone must be a name such as Europe/Berlin, not "Berlin"',
  );
});

describe('a format', () => {
  test.each([
    ['', {}, 'people.csv is empty: the first line of a CSV names its columns'],
    ['\n \n', {}, 'people.csv is empty'],
    [
      'userId;a,b\nu1;2\n',
      {},
      'line 1: the header has two delimiters equally often: say which with --delimiter (, ; tab |)',
    ],
    [
      '[]',
      { format: 'json', delimiter: ',' },
      'people.csv is JSON, which has no delimiter: leave out --delimiter',
    ],
  ] as const)('that can’t be found out is an error: %j', async (content, options, message) => {
    await expect(opened(content, options)).rejects.toThrow(message);
  });

  test('and a delimiter that is given are not looked for', async () => {
    expect((await opened('userId;[a,b\nu1;2\n', { delimiter: ';' })).columns.map(({ name }) => name)).toEqual(
      ['userId', '[a,b'],
    );
    expect((await opened('[a,userId\nu1,2\n', { format: 'csv' })).columns.map(({ name }) => name)).toEqual([
      '[a',
      'userId',
    ]);
    expect((await opened('', { format: 'ndjson' })).rows).toBe(0);
  });
});
