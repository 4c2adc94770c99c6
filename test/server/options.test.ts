import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { resolveOptions, type ServerClientOptions } from '../../src/server/options.ts';
import { tableUnder } from '../tables.ts';

const GOOD = { endpoint: 'https://t.example.com', token: 'a-server-token-of-enough-characters' };

const resolved = (given: object) => resolveOptions({ ...GOOD, ...given } as ServerClientOptions);

describe('an invalid option', () => {
  test.each([
    [{ endpoint: undefined }, 'endpoint must be an http or https URL, not undefined'],
    [{ endpoint: 't.example.com' }, 'endpoint must be an http or https URL, not "t.example.com"'],
    [{ source: '' }, 'source must be text, not ""'],
    [{ batchSize: 401 }, 'batchSize must be from 1 to 400, not 401'],
    [{ maxWaitMs: '5' }, 'maxWaitMs must be from 0 to 60000, not "5"'],
    [{ maxBufferedBytes: 1 }, 'maxBufferedBytes must be 1048576 or more, not 1'],
    [{ journal: true }, 'journal must be the path of a folder, not true'],
    [{ waitUntil: {} }, 'waitUntil must be a function, not [object Object]'],
    [{ onError: 'x' }, 'onError must be a function, not "x"'],
    [{ maxwaitMs: 5 }, 'maxwaitMs is not an option'],
  ])('throws with its name, its rule and its value: %o', (given, message) => {
    expect(() => resolved(given)).toThrow(new RangeError(message));
  });

  test.each([undefined, '', 'a token', 'tokén', 'a\nb'])(
    '%j as a token throws without showing it',
    (token) => {
      expect(() => resolved({ token })).toThrow(
        new RangeError('token must be the SERVER_TOKEN of the relay, printable ASCII without spaces'),
      );
    },
  );
});

test('slashes after the endpoint and a newline after the token are left out', () => {
  expect(resolved({ endpoint: 'https://t.example.com/a//', token: `${GOOD.token}\n` })).toMatchObject({
    endpoint: 'https://t.example.com/a',
    token: GOOD.token,
    batchSize: 25,
    maxWaitMs: 200,
  });
});

describe('docs/reference/options.md', () => {
  const rows = tableUnder(
    readFileSync('docs/reference/options.md', 'utf8'),
    'Options of the client for servers',
  );
  const numbers = rows.filter((row) => row.length === 5);

  test('has all options and their defaults', () => {
    const { onError: _, ...defaults } = resolveOptions(GOOD);

    expect(Object.fromEntries(rows.map(([name = '', value = '']) => [name, value]))).toEqual({
      ...Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)])),
      endpoint: 'required',
      token: 'required',
      waitUntil: 'none',
      journal: 'none',
      onError: 'writes to the console',
    });
  });

  test.each(numbers)('%s: %s, from %s to %s', (name = '', _, from, to) => {
    for (const value of [from, to]) expect(() => resolved({ [name]: Number(value) })).not.toThrow();
    expect(() => resolved({ [name]: Number(from) - 1 })).toThrow(RangeError);
    if (to !== 'Infinity') expect(() => resolved({ [name]: Number(to) + 1 })).toThrow(RangeError);
  });
});
