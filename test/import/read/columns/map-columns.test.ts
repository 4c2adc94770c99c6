import { describe, expect, test } from 'vitest';
import { parseColumnMap, parseColumnOption } from '../../../../src/import/read/columns/column-map.ts';
import { targetByName, targetOf } from '../../../../src/import/read/columns/target.ts';
import { columns, opened } from '../../../fakes/import/imported.ts';
import { sample } from '../../../samples/samples.ts';

describe('obvious spellings of a field are found', () => {
  test.each([
    ['E-mail', 'email'],
    ['EMAIL', 'email'],
    ['first_name', 'firstName'],
    ['User ID', 'userId'],
    ['user.id', 'userId'],
    ['whatsapp opt-in', 'whatsappOptIn'],
  ])('%s', (name, field) => {
    expect(targetByName(name, 'user')).toEqual({ target: { of: 'field', name: field } });
  });
});

test('any other column is an attribute of its own name', () => {
  for (const name of ['Mail', 'Plan', 'e-mail 2', 'événement'])
    expect(targetByName(name, 'user')).toEqual({ target: { of: 'attribute', name } });
  expect(targetByName('attributes.Plan', 'user')).toEqual({ target: { of: 'attribute', name: 'Plan' } });
  expect(targetByName('eventData.Price', 'event')).toEqual({ target: { of: 'attribute', name: 'Price' } });
});

test('a name that the user gives is taken exactly', () => {
  expect(targetOf('attributes.Plan.Level', 'user')).toEqual({
    target: { of: 'attribute', name: 'Plan.Level' },
  });
  expect(targetOf('e-mail', 'user')).toHaveProperty('fault');
  expect(targetOf('eventData.Plan', 'user')).toHaveProperty('fault');
});

describe('columns that can’t be used end the import before any row is read, with the remedy', () => {
  test.each([
    ['userId,a,a\n', {}, 'people.csv, line 1: columns 2 and 3 are both named "a": rename or remove one'],
    ['userId,,a\n', {}, 'people.csv, line 1: column 2 has no name: name it in the header, or remove it'],
    [
      'userId,E-mail,email\n',
      {},
      'the columns "E-mail" and "email" are both for email: leave one out with --column "email="',
    ],
    [
      'userId,a\n',
      { b: 'email' },
      '--column names the column "b", which the file does not have. It has "userId", "a"',
    ],
    [
      'name,mail\n',
      {},
      'no column is for userId or anonymousId, which a user needs: name one with --column "<column>=userId"',
    ],
    [
      'userId,a\n',
      { a: 'mail' },
      '--column gives the column "a" to "mail", which is not a field of a user: use attributes.<name>',
    ],
    ['userId,we_a\n', {}, 'the column "we_a" is an attribute whose name must not start with we_'],
    [
      `userId,${'x'.repeat(50)}\n`,
      {},
      'is an attribute whose name must be well-formed text of 1 to 49 characters',
    ],
    ['userId,__proto__\n', {}, 'the column "__proto__" is an attribute whose name must not be __proto__'],
    ['userId,a\n', { a: 'attributes.__proto__' }, 'is an attribute whose name must not be __proto__'],
    ['userId,event time\n', {}, 'the column "event time" is not a field of a user: is --kind right?'],
    [
      'userId,attributes\n',
      {},
      'the column "attributes" holds custom attributes: give each a column, named attributes.<name>',
    ],
  ] as const)('%j', async (header, choices, message) => {
    await expect(opened(`${header}u1,2,3\n`, { choices: columns(choices) })).rejects.toThrow(message);
  });

  test.each([
    ['userId,eventTime\n', 'no column is for eventName, which an event needs'],
    ['userId,eventName\n', 'no column is for eventTime, which an event needs'],
    ['eventName,eventTime\n', 'no column is for userId or anonymousId, which an event needs'],
  ])('in a file of events: %j', async (header, message) => {
    await expect(opened(`${header}u1,2\n`, { kind: 'event' })).rejects.toThrow(message);
  });

  test('in JSON, as soon as all rows are known', async () => {
    await expect(opened('{"userId":"1"}\n{"a":1}', { choices: columns({ b: null }) })).rejects.toThrow(
      '--column names the column "b", which the file does not have. It has "userId", "a"',
    );
    await expect(opened('{"userId":"1","Plan":1,"attributes":{"Plan":2}}')).rejects.toThrow(
      'the columns "Plan" and "attributes.Plan" are both for attributes.Plan',
    );
  });

  test('and a type for a field, which WebEngage has decided', async () => {
    const choices = new Map([
      ['a', { choice: { field: 'email', type: 'string' as const }, from: '--map' as const }],
    ]);

    await expect(opened('userId,a\n', { choices })).rejects.toThrow(
      '--map gives the column "a" a type, but WebEngage has one for email: leave it out',
    );
  });
});

test('a format of dates for a column of another type ends the import', async () => {
  const choice = { field: 'attributes.a', type: 'number', dateFormat: 'iso' } as const;

  await expect(
    opened('userId,a\n', { choices: new Map([['a', { choice, from: '--map' }]]) }),
  ).rejects.toThrow('--map gives the column "a" a dateFormat, but the type number: leave one out');
});

test('the remedy of two columns for one field helps', async () => {
  const { columns: table } = await opened('userId,E-mail,email\nu1,a,b\n', {
    choices: columns({ email: null }),
  });

  expect(table.map(({ field }) => field)).toEqual(['userId', 'email', undefined]);
});

describe('--column', () => {
  test.each([
    ['E-mail=email', ['E-mail', { field: 'email' }]],
    ['a=b=email', ['a=b', { field: 'email' }]],
    ['Notes=', ['Notes', null]],
    ['email', undefined],
    ['=email', undefined],
  ])('%j', (given, choice) => {
    expect(parseColumnOption(given)).toEqual(choice);
  });
});

describe('a map', () => {
  test('as the guide shows it gives columns to fields', async () => {
    const map = parseColumnMap(JSON.parse(sample('docs/guides/importing-files.md#columns json').text));

    const { columns: table } = await opened('userId,Mail,Notes,Member since\nu1,a,b,01/02/2026\n', {
      choices: map.ok ? map.choices : new Map(),
    });

    expect(table.map(({ field, type }) => [field, type])).toEqual([
      ['userId', 'string'],
      ['email', 'string'],
      [undefined, undefined],
      ['attributes.Since', 'date'],
    ]);
  });

  test('gives columns to fields, with types and formats of dates', () => {
    const parsed = parseColumnMap({
      Mail: 'email',
      Notes: null,
      Since: { field: 'attributes.Since', type: 'date', dateFormat: 'dd/MM/yyyy' },
    });

    expect(parsed).toEqual({
      ok: true,
      choices: new Map([
        ['Mail', { choice: { field: 'email' }, from: '--map' }],
        ['Notes', { choice: null, from: '--map' }],
        [
          'Since',
          { choice: { field: 'attributes.Since', type: 'date', dateFormat: 'dd/MM/yyyy' }, from: '--map' },
        ],
      ]),
    });
  });

  test.each([
    [[], '', 'must be an object'],
    [{ a: 1 }, 'a', 'must be a field, null, or an object with field, type and dateFormat'],
    [{ a: { field: 'email', typ: 'date' } }, 'a.typ', 'is not known: use field, type and dateFormat'],
    [
      { a: { field: 'attributes.a', type: 'text' } },
      'a',
      'must be one of string, number, boolean, date, array, object',
    ],
    [{ a: { field: 'attributes.a', dateFormat: 'd.M.y' } }, 'a.dateFormat', 'must be one of iso, dd/MM/yyyy'],
  ])('that is wrong is refused: %j', (given, path, message) => {
    const parsed = parseColumnMap(given);

    expect(parsed).toMatchObject({ ok: false });
    expect(parsed.ok || parsed.issues[0]).toMatchObject({
      path: expect.stringContaining(path),
      message: expect.stringContaining(message),
    });
  });
});
