import { describe, expect, test } from 'vitest';
import { readSettings } from '../../../src/edge/settings/settings.ts';

const KEY = 'a-key-that-must-not-be-told';
const ENV = {
  WEBENGAGE_API_KEY: KEY,
  WEBENGAGE_LICENSE_CODE: '~47b6655b',
  ALLOWED_ORIGINS: 'https://shop.example.com, https://example.com',
};

test('the defaults are the global host, the account’s whole allowance and one second of linger', () => {
  expect(readSettings(ENV)).toEqual({
    ok: true,
    settings: {
      apiKeys: { primary: KEY },
      licenseCode: '~47b6655b',
      upstream: 'https://api.webengage.com',
      allowedOrigins: ['https://shop.example.com', 'https://example.com'],
      serverTokens: [],
      requestsPerMinute: 500,
      laneFloors: { live: 0.5, server: 0.3, import: 0.05 },
      lingerMs: 1_000,
      maxSubrequests: 10_000,
      healthStaleMs: 300_000,
      shards: 1,
      // A day at the full allowance.
      maxBacklog: 18_000_000,
      maxBacklogPerShard: 18_000_000,
      identity: { mode: 'off' },
      bots: 'count',
      recordsPerMinutePerShard: 12_500,
    },
  });
});

test.each([
  ['global', 'https://api.webengage.com'],
  ['in', 'https://api.in.webengage.com'],
  ['ksa', 'https://api.ksa.webengage.com'],
])('region %s is %s', (WEBENGAGE_REGION, upstream) => {
  expect(readSettings({ ...ENV, WEBENGAGE_REGION })).toMatchObject({ settings: { upstream } });
});

test.each([
  ['http://127.0.0.1:9999', 'http://127.0.0.1:9999'],
  ['api.in.webengage.com', 'https://api.in.webengage.com'],
])('host %s is accepted', (WEBENGAGE_HOST, upstream) => {
  expect(readSettings({ ...ENV, WEBENGAGE_HOST })).toMatchObject({ settings: { upstream } });
});

describe('a missing or invalid setting is named without its value', () => {
  test.each([
    ['WEBENGAGE_API_KEY', ''],
    ['WEBENGAGE_API_KEY', `${KEY}\nx: y`],
    ['WEBENGAGE_LICENSE_CODE', ''],
    ['WEBENGAGE_LICENSE_CODE', `../${KEY}`],
    ['WEBENGAGE_REGION', 'mars'],
    ['ALERT_SECRET', 'too-short'],
    ['TRACKING_PLAN', 'strict'],
    ['WEBENGAGE_HOST', 'evil.example.com'],
    ['WEBENGAGE_HOST', 'http://api.webengage.com'],
    ['WEBENGAGE_HOST', 'https://api.webengage.com@evil.example.com'],
    ['WEBENGAGE_HOST', 'http://127.0.0.1.evil.example.com'],
    ['ALLOWED_ORIGINS', ''],
    ['ALLOWED_ORIGINS', 'shop.example.com'],
    ['ALLOWED_ORIGINS', 'https://shop.example.com/'],
    ['ALLOWED_ORIGINS', 'https://Shop.example.com'],
    ['ALLOWED_ORIGINS', 'https://shop.example.com:443'],
    ['ALLOWED_ORIGINS', 'https://user:password@shop.example.com'],
    ['ALLOWED_ORIGINS', 'null'],
    ['ALLOWED_ORIGINS', 'https://*.com'],
    ['ALLOWED_ORIGINS', 'https://shop.example.com,https://*'],
    ['ALLOWED_ORIGINS', 'capacitor://localhost,htps://shop.example.com'],
    ['SERVER_TOKEN', 'short'],
    ['METRICS_TOKEN', 'short'],
    ['METRICS_TOKEN', 'x'.repeat(40)],
    ['SERVER_TOKEN', 'x'.repeat(40)],
    ['SERVER_TOKEN', 'a server token with spaces in it, and long'],
    ['WEBENGAGE_REGION', 'constructor'],
    ['WEBENGAGE_API_KEY_SECONDARY', `${KEY} ${KEY}`],
    ['OUTBOX_SHARDS', '0'],
    ['OUTBOX_SHARDS', '65'],
    ['OUTBOX_SHARDS', '1.5'],
    ['MAX_BACKLOG', '399'],
    ['MAX_BACKLOG', 'all'],
    ['REQUESTS_PER_MINUTE', '10001'],
    ['REQUESTS_PER_MINUTE', 'many'],
    ['LINGER_MS', '-1'],
    ['LOCATION_HINT', 'mars'],
    ['JURISDICTION', 'mars'],
    ['IDENTITY', ''],
  ])('%s: %j', (name, value) => {
    const read = readSettings({ ...ENV, [name]: value });

    expect(read).toMatchObject({ ok: false, message: expect.stringContaining(name) });
    expect(JSON.stringify(read)).not.toContain(KEY);
  });
});

test('apps may send beside sites, and a wrong origin is named by its position', () => {
  const apps =
    'https://shop.example.com, capacitor://localhost, tauri://localhost, chrome-extension://abcdefgh';

  expect(readSettings({ ...ENV, ALLOWED_ORIGINS: apps })).toMatchObject({ ok: true });
  expect(readSettings({ ...ENV, ALLOWED_ORIGINS: `${apps}, https://secret.example.com/` })).toMatchObject({
    ok: false,
    message: expect.stringMatching(/^ALLOWED_ORIGINS .* entry 5 is not one/),
  });
});

test.each([
  'ADMIN_TOKEN',
  'SERVER_TOKEN',
  'IDENTITY_KEY',
  'WEBENGAGE_API_KEY',
  'WEBENGAGE_API_KEY_SECONDARY',
])('METRICS_TOKEN must be a separate secret: not %s', (name) => {
  const METRICS_TOKEN = 'one-secret-for-scrapes-and-nothing-else';

  expect(readSettings({ ...ENV, METRICS_TOKEN })).toMatchObject({
    ok: true,
    settings: { metricsToken: METRICS_TOKEN },
  });
  expect(readSettings({ ...ENV, METRICS_TOKEN, [name]: METRICS_TOKEN })).toMatchObject({
    ok: false,
    message: expect.stringMatching(/^METRICS_TOKEN must differ from /),
  });
});

test.each(['ADMIN_TOKEN', 'IDENTITY_KEY', 'WEBENGAGE_API_KEY', 'WEBENGAGE_API_KEY_SECONDARY'])(
  'SERVER_TOKEN must be a separate secret: not %s',
  (name) => {
    const SERVER_TOKEN = 'one-secret-for-everything-is-no-secret';

    expect(readSettings({ ...ENV, SERVER_TOKEN })).toMatchObject({
      settings: { serverTokens: [{ name: 'server', token: SERVER_TOKEN }] },
    });
    expect(readSettings({ ...ENV, SERVER_TOKEN, [name]: SERVER_TOKEN })).toMatchObject({
      ok: false,
      message: expect.stringContaining('SERVER_TOKEN must differ'),
    });
  },
);

describe('SERVER_TOKENS', () => {
  const [A, B] = ['ySV8wYnPqTx/zh6Bb0aZkDs3+mE2rJfu=', 'Kq1VtLw9cXo5+Gd7HiUyNe4Ra8/MpSjb0w=='];
  const read = (SERVER_TOKENS: string, more: object = {}) => readSettings({ ...ENV, ...more, SERVER_TOKENS });

  test.each([
    ['with commas', `orders=${A},crm.eu-1_x=${B}`],
    ['with newlines', `orders=${A}\ncrm.eu-1_x=${B}\n`],
    ['with white space, and a comma at the end', ` orders = ${A} ,\r\n crm.eu-1_x=${B},`],
  ])('lists names and tokens %s', (_, text) => {
    expect(read(text)).toMatchObject({
      settings: {
        serverTokens: [
          { name: 'orders', token: A },
          { name: 'crm.eu-1_x', token: B },
        ],
      },
    });
  });

  test('adds to SERVER_TOKEN, which is named server', () => {
    expect(read(`orders=${A}`, { SERVER_TOKEN: B })).toMatchObject({
      settings: {
        serverTokens: [
          { name: 'server', token: B },
          { name: 'orders', token: A },
        ],
      },
    });
  });

  test.each([
    ['no name', `orders=${A},${B}`, 2],
    ['an empty name', `=${A}`, 1],
    ['a name of too many characters', `${'n'.repeat(41)}=${A}`, 1],
    ['a name with another sign', `orders eu=${A}`, 1],
    ['no token', `orders=${A},crm=`, 2],
    ['a short token', 'orders=short', 1],
    ['a token that can be guessed', `orders=${A},crm=${'x'.repeat(40)}`, 2],
    ['a token with a space', 'orders=0123456789abcdef 0123456789abcdef', 1],
    ['a name twice', `orders=${A},orders=${B}`, 2],
    ['a token twice', `orders=${A},crm=${A}`, 2],
    ['nothing', ',', undefined],
  ])('is refused with %s, in one line that names the entry and no value', (_, text, entry) => {
    const refused = read(text);

    const at = entry === undefined ? 'it has no pair' : `entry ${entry} is not one`;
    expect(refused).toMatchObject({ ok: false, message: expect.stringContaining(`SERVER_TOKENS must`) });
    const { message } = refused as { readonly message: string };
    expect(message).toContain(at);
    expect(message).not.toMatch(/\n/);
    for (const value of [A, B, 'orders', 'crm']) expect(message).not.toContain(value);
  });

  test.each(['ADMIN_TOKEN', 'IDENTITY_KEY', 'WEBENGAGE_API_KEY', 'WEBENGAGE_API_KEY_SECONDARY'])(
    'holds separate secrets: not %s',
    (name) => {
      expect(read(`orders=${A},crm=${B}`, { [name]: B })).toEqual({
        ok: false,
        message: 'SERVER_TOKENS must differ from ADMIN_TOKEN, IDENTITY_KEY and the WebEngage keys',
      });
    },
  );

  test('shares neither token nor name with SERVER_TOKEN', () => {
    expect(read(`orders=${A}`, { SERVER_TOKEN: A })).toMatchObject({
      message: 'SERVER_TOKENS must not repeat the SERVER_TOKEN',
    });
    expect(read(`server=${A}`, { SERVER_TOKEN: B })).toMatchObject({
      message: 'SERVER_TOKENS must not use the name server, which is that of SERVER_TOKEN',
    });
    expect(read(`server=${A}`)).toMatchObject({ ok: true });
  });
});

test('a host overrides the region, which is then ignored', () => {
  expect(
    readSettings({ ...ENV, WEBENGAGE_REGION: 'mars', WEBENGAGE_HOST: 'api.in.webengage.com' }),
  ).toMatchObject({ settings: { upstream: 'https://api.in.webengage.com' } });
});

test.each(['optional', 'required'])('identity tokens that are %s need a key', (IDENTITY) => {
  for (const unset of [{}, { IDENTITY_KEY: '' }])
    expect(readSettings({ ...ENV, IDENTITY, ...unset })).toEqual({
      ok: false,
      message: 'IDENTITY_KEY is not set, but IDENTITY is not off: run wrangler secret put IDENTITY_KEY',
    });
});

test('the backlog is divided among the outboxes, and follows the allowance by default', () => {
  expect(readSettings({ ...ENV, OUTBOX_SHARDS: '4', MAX_BACKLOG: '2000' })).toMatchObject({
    settings: { shards: 4, maxBacklog: 2_000, maxBacklogPerShard: 500, recordsPerMinutePerShard: 3_125 },
  });
  expect(readSettings({ ...ENV, REQUESTS_PER_MINUTE: '50' })).toMatchObject({
    settings: { maxBacklog: 1_800_000 },
  });
});

test('the backlog has room for a request in each outbox', () => {
  const read = (MAX_BACKLOG: string) => readSettings({ ...ENV, OUTBOX_SHARDS: '4', MAX_BACKLOG });

  expect(read('1600')).toMatchObject({ settings: { maxBacklogPerShard: 400 } });
  expect(read('1599')).toEqual({
    ok: false,
    message: 'MAX_BACKLOG must be a whole number from 400 times OUTBOX_SHARDS to 1000000000',
  });
});

describe('the floors of the lanes', () => {
  const floorsOf = (LANES?: string) => {
    const read = readSettings({ ...ENV, ...(LANES !== undefined && { LANES }) });
    return read.ok ? read.settings.laneFloors : undefined;
  };

  test('are shares of the calls, for live, server and import', () => {
    expect(floorsOf()).toEqual({ live: 0.5, server: 0.3, import: 0.05 });
    expect(floorsOf('1, 98 ,1')).toEqual({ live: 0.01, server: 0.98, import: 0.01 });
  });

  test.each([
    '50,30',
    '50,30,5,5',
    '0,30,5',
    '50,30,0',
    '60,30,11',
    '50,30,5.5',
    '-1,30,5',
    '50 %,30,5',
    ' ',
  ])('%j is refused, unless it is empty', (text) => {
    expect(floorsOf(text)).toEqual(text.trim() === '' ? floorsOf() : undefined);
  });
});

test('the secondary key is used if it is set', () => {
  expect(readSettings({ ...ENV, WEBENGAGE_API_KEY_SECONDARY: 'another' })).toMatchObject({
    settings: { apiKeys: { primary: KEY, secondary: 'another' } },
  });
});

test('secrets and variables are read without a trailing newline, except for a shared secret', () => {
  const piped = { ...ENV, WEBENGAGE_API_KEY: `${KEY}\n`, REQUESTS_PER_MINUTE: ' 50\n', IDENTITY: 'optional' };

  expect(readSettings({ ...piped, IDENTITY_KEY: 'a\n' })).toMatchObject({
    settings: { apiKeys: { primary: KEY }, requestsPerMinute: 50, identity: { key: 'a\n' } },
  });
});

test('a variable that is a number in wrangler.jsonc is read as text', () => {
  const numbers = JSON.parse('{ "LINGER_MS": 0, "OUTBOX_SHARDS": 4 }');

  expect(readSettings({ ...ENV, ...numbers })).toMatchObject({ settings: { lingerMs: 0, shards: 4 } });
});

test('an allowance above the account’s limit enlarges neither shares nor backlog', () => {
  const sure = readSettings({ ...ENV, REQUESTS_PER_MINUTE: '500' });

  expect(readSettings({ ...ENV, REQUESTS_PER_MINUTE: '5000' })).toEqual({
    ...sure,
    settings: { ...(sure.ok && sure.settings), requestsPerMinute: 5_000 },
  });
});

test('a stale limit shorter than the linger is refused', () => {
  const read = (HEALTH_STALE_MS: string) => readSettings({ ...ENV, LINGER_MS: '60000', HEALTH_STALE_MS });

  expect(read('60000').ok).toBe(true);
  expect(read('59999')).toEqual({ ok: false, message: 'HEALTH_STALE_MS must be at least LINGER_MS' });
});

test('a jurisdiction is ignored on a developer’s machine, whose runtime has none', () => {
  expect(readSettings({ ...ENV, JURISDICTION: 'eu' })).toMatchObject({ settings: { jurisdiction: 'eu' } });
  const local = readSettings({ ...ENV, JURISDICTION: 'eu', WEBENGAGE_HOST: 'http://127.0.0.1:8788' });
  expect(local.ok && local.settings.jurisdiction).toBeUndefined();
});
