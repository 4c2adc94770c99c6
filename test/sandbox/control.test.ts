import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { controlOf, parseControl } from '../../src/sandbox/control.ts';

describe('a configuration of the sandbox', () => {
  test('has documented defaults for omitted fields, as strict as possible', () => {
    expect(controlOf({})).toEqual({
      fault: 'none',
      faultAt: 'before',
      faults: [],
      delayMs: 3_000,
      pageStatus: 502,
      location: 'https://elsewhere.example/',
      success: 200,
      invalid: 'fails_call',
      otherDates: 'refused',
      nulls: 'refused',
      numericUserId: 'refused',
      rcsOptIn: 'accepted',
      tooMany: 'refused',
      empty: 'refused',
      wrongKey: 401,
      wrongLicense: 404,
      idempotency: 'honoured',
      reusedRequestId: 'refused',
      usedByOthers: 0,
      limit: 'shared',
      minute: 'sliding',
      rateHeaders: 'sent',
      retryAfter: 'none',
      retryAfterSeconds: 5,
      portability: 'profile',
      anonymousBefore: 'merged',
      anonymousAfter: 'merged',
      idAfterLogout: 'new',
      idAfterLogin: 'answers',
    });
  });

  test('is returned as a configuration that says the same', () => {
    const control = controlOf({ fault: 503, seed: 7, refuse: { field: 'eventName' }, acceptKeys: ['new'] });

    expect(parseControl(JSON.stringify(control))).toEqual({ ok: true, control });
  });

  test.each([
    ['fault', 'down'],
    ['fault', '429'],
    ['fault', 300],
    ['fault', 599],
    [
      'faults',
      [
        { fault: 500, chance: 0.1 },
        { fault: 'slow', chance: 0.2 },
        { fault: 'cut', chance: 0.7 },
      ],
    ],
    ['refuse', { field: 'eventData.poison', value: true, status: 422 }],
    ['refuse', { field: 'eventData.poison', value: null }],
    ['acceptKeys', []],
    ['requestsPerMinute', 0],
  ])('%s may be %j', (name, value) => {
    expect(parseControl(JSON.stringify({ [name]: value }))).toMatchObject({ ok: true });
  });

  test.each([
    [
      { fault: 'up' },
      'fault must be down, 429, slow, cut, cut_before, page, none or a status from 300 to 599',
    ],
    [
      { fault: 200 },
      'fault must be down, 429, slow, cut, cut_before, page, none or a status from 300 to 599',
    ],
    [{ delayMs: 0.5 }, 'delayMs must be a whole number from 0 to 60000, not 0.5'],
    [{ delayMs: '5' }, 'delayMs must be a whole number from 0 to 60000, not "5"'],
    [{ success: 204 }, 'success must be 200 or 201, not 204'],
    [{ wrongKey: 400 }, 'wrongKey must be 401 or 403, not 400'],
    [{ faults: [{ fault: 500, chance: 2 }] }, 'faults.0.chance must be a number from 0 to 1'],
    [{ faults: [{ fault: 500 }] }, 'faults.0.chance is required'],
    [
      {
        faults: [
          { fault: 500, chance: 0.6 },
          { fault: 'cut', chance: 0.5 },
        ],
      },
      'faults must have chances that add up to at most 1',
    ],
    [{ faults: {} }, 'faults must be a list, as [{"fault":500,"chance":0.03}]'],
    [{ refuse: { field: '' } }, 'refuse.field must not be empty'],
    [{ refuse: { field: 'eventName', status: 401 } }, 'refuse.status must be 400 or 413 or 422, not 401'],
    [{ refuse: 'Poison' }, 'refuse must be an object'],
    [{ acceptKeys: 'key' }, 'acceptKeys must be a list of keys'],
    [{ colour: 'red' }, 'colour is not a setting of the sandbox'],
    [[], 'the body must be an object'],
    [null, 'the body must be an object'],
  ])('%j is invalid: %s', (order, message) => {
    expect(parseControl(JSON.stringify(order))).toEqual({ ok: false, message });
  });

  test('must be JSON', () => {
    expect(parseControl('down')).toEqual({
      ok: false,
      message: 'the body must be JSON, as {"fault":"down"}',
    });
  });
});

describe('every setting', async () => {
  const files = ['src/sandbox/control.ts', 'src/sandbox/sdk/sdk-switches.ts'];
  const code = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n');
  const names = [...code.matchAll(/^ {2,4}(\w+): optional\(/gm)].map(([, name = '']) => name);

  test('is known here', () => {
    expect(names).toEqual(expect.arrayContaining(Object.keys(controlOf({}))));
  });

  test.each(names)('%s is in its document', async (name) => {
    expect(await readFile('docs/guides/sandbox.md', 'utf8')).toContain(`\`${name}\``);
  });

  // By a button of the page: a bad day.
  const byButton = ['faults', 'seed'];

  test.each(names.filter((name) => !byButton.includes(name)))('%s is on the page', async (name) => {
    expect(await readFile('src/sandbox/page/index.html', 'utf8')).toMatch(
      new RegExp(`data-switch="${name}[".]`),
    );
  });
});
