import { describe, expect, test, vi } from 'vitest';
import { batchOf, SHOP, stalled } from '../edge/requests.ts';
import { type Attack, attack, expectNoHarm, onGuard, recordsKept, SECRETS } from './harness.ts';

// Requests that are refused as a whole. Numbers are those of the threats in docs/reference/security.md.

const guard = onGuard();

type Row = readonly [name: string, attack: () => Attack, status: number, code: string];

const good = () => JSON.stringify(batchOf());
const posted = (headers: Attack['headers'] = {}): Attack => ({ body: good(), headers });
type Body = NonNullable<Attack['body']>;
const asBody = (change: (good: string) => Body) => (): Attack => ({ body: change(good()) });

function holds(rows: readonly Row[]): void {
  test.each(rows)('%s', async (_, make, status, code) => {
    await expectNoHarm(guard, async () => {
      const answer = await attack(make());

      expect(answer.status).toBe(status);
      if (answer.text !== '') expect(JSON.parse(answer.text)).toMatchObject({ error: { code } });
    });
  });
}

test('a harmless request on the same path is accepted and stored', async () => {
  const before = await recordsKept();

  expect((await attack(posted())).status).toBe(202);
  expect(await recordsKept()).not.toBe(before);
});

describe('3: the client chooses path, host or method', () => {
  const nowhere = (path: string): Row => [path, () => ({ ...posted(), path }), 404, 'not_found'];
  holds([
    ...[
      '/',
      '/v1',
      '/v1/batch/',
      '/v1/batch//',
      '//v1/batch',
      '/V1/BATCH',
      '/v1/batch%2f',
      '/v1%2fbatch',
      '/v1/..%2f..%2fv1/batch',
      '/v1/batch/..%2fadmin',
      '/v1/batch%00',
      '/v1/batch%00.json',
      '/v1/batch;x=1',
      '/v1/batch:80',
      '/v1/batch@evil.example',
      '/@evil.example/v1/batch',
      '//evil.example/v1/batch',
      '/\\evil.example/v1/batch',
      '/http://evil.example/v1/batch',
      '/https%3a%2f%2fapi.webengage.com/v1/accounts/~test/bulk-users',
      '/v1/accounts/~test/bulk-users',
      '/v1/accounts/~test/bulk-events',
      '/v1/../../v1/accounts/~other/bulk-users',
      '/?url=https://evil.example/',
      '/proxy?url=http://169.254.169.254/latest/meta-data/',
      '/[::1]/v1/batch',
      '/%ff%fe',
      '/%',
      '/v1/batch%E2%80%AE',
      '/.env',
      '/.dev.vars',
      '/wrangler.jsonc',
      '/cdn-cgi/../v1/accounts',
      '/__proto__',
      '/constructor',
      `/${'a'.repeat(8_000)}`,
    ].map(nowhere),
    ...['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'TRACE'].map(
      (method): Row => [method, () => ({ method }), 405, 'method_not_allowed'],
    ),
    ...['X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method'].map(
      (name): Row => [
        `GET that says it is a POST, by ${name}`,
        () => ({ method: 'GET', headers: { [name]: 'POST' } }),
        405,
        'method_not_allowed',
      ],
    ),
    [
      'GET that asks for a socket',
      () => ({ method: 'GET', headers: { Upgrade: 'websocket', Connection: 'Upgrade' } }),
      405,
      'method_not_allowed',
    ],
    [
      'GET with the batch in its query',
      () => ({ method: 'GET', path: `/v1/batch?body=${encodeURIComponent(good())}` }),
      405,
      'method_not_allowed',
    ],
  ]);
});

describe('5: headers that another server would obey', () => {
  // Whoever believes one of them lets in a request that has no Origin of ours.
  const OBEYED: Readonly<Record<string, string>> = {
    'X-Forwarded-For': '127.0.0.1',
    'X-Forwarded-Host': 'shop.example.com',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Server': 'shop.example.com',
    'X-Real-IP': '127.0.0.1',
    'X-Client-IP': '127.0.0.1',
    'X-Cluster-Client-IP': '127.0.0.1',
    'X-Originating-IP': '127.0.0.1',
    'True-Client-IP': '127.0.0.1',
    Forwarded: 'for=127.0.0.1;host=shop.example.com;proto=https',
    Via: '1.1 shop.example.com',
    Host: 'shop.example.com',
    'X-Host': 'shop.example.com',
    'X-Original-Host': 'shop.example.com',
    'X-Original-URL': '/admin/status',
    'X-Rewrite-URL': '/admin/status',
    'X-Override-URL': '/admin/status',
    Referer: `${SHOP}/`,
    'X-Origin': SHOP,
    'CF-Worker': 'shop.example.com',
    'CF-Visitor': '{"scheme":"https"}',
    'CF-Access-Authenticated-User-Email': 'operator@example.com',
    'CF-Access-Jwt-Assertion': 'eyJhbGciOiJub25lIn0.e30.',
    'X-Remote-User': 'operator',
    'X-Authenticated-User': 'johndoe',
    'X-Admin-Token': 'true',
    'X-API-Key': 'test-key',
    Cookie: 'ADMIN_TOKEN=1; SERVER_TOKEN=1; session=operator',
    'Sec-Fetch-Site': 'same-origin',
    'X-Requested-With': 'XMLHttpRequest',
  };

  holds([
    ...Object.entries(OBEYED).map(
      ([name, value]): Row => [
        `${name} in place of an Origin`,
        () => posted({ Origin: '', [name]: value }),
        403,
        'origin_not_allowed',
      ],
    ),
    ['all of them', () => posted({ ...OBEYED, Origin: '' }), 403, 'origin_not_allowed'],
    [
      'all of them at the operator’s door',
      () => ({ path: '/admin/status', method: 'GET', headers: { ...OBEYED, Origin: '' } }),
      404,
      'not_found',
    ],
  ]);
});

describe('6: a batch from another site', () => {
  const from = (Origin: string): Row => [Origin, () => posted({ Origin }), 403, 'origin_not_allowed'];
  holds([
    ...[
      'https://evil.example',
      'http://shop.example.com',
      'https://shop.example.com:8443',
      'https://shop.example.com:443',
      'https://shop.example.com/',
      'https://shop.example.com.',
      'https://shop.example.com.evil.example',
      'https://evil-shop.example.com',
      'https://x.shop.example.com',
      'https://shopXexample.com',
      'HTTPS://SHOP.EXAMPLE.COM',
      'https://shop.example.com@evil.example',
      'https://evil.example#https://shop.example.com',
      'https://evil.example, https://shop.example.com',
      'https://shop.example.com https://evil.example',
      'https://shop.example.com%00',
      'https://ѕhop.example.com',
      'null',
      'undefined',
      '*',
      'file://',
      'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
      'https://127.0.0.1:8787',
      'shop.example.com',
    ].map(from),
    ['none at all', () => posted({ Origin: '' }), 403, 'origin_not_allowed'],
    ...(
      [
        ['a wildcard’s own host', 'https://example.org'],
        ['one that only ends like a wildcard’s', 'https://evilexample.org'],
        ['a path that ends like a wildcard’s', 'https://evil.example/.example.org'],
        ['two, of which the last is a wildcard’s', 'https://evil.example,https://a.example.org'],
        ['an empty name before a wildcard’s', 'https://.example.org'],
        ['an address with a name, before a wildcard’s', 'https://evil.example:1@a.example.org'],
        ['a wildcard, word for word', 'https://*.example.org'],
      ] as const
    ).map(
      ([name, Origin]): Row => [
        name,
        () => ({ ...posted({ Origin }), env: { ALLOWED_ORIGINS: 'https://*.example.org' } }),
        403,
        'origin_not_allowed',
      ],
    ),
    ['a form’s', () => posted({ 'Sec-Fetch-Mode': 'navigate' }), 403, 'origin_not_allowed'],
    ['an image’s', () => posted({ 'Sec-Fetch-Dest': 'image' }), 403, 'origin_not_allowed'],
    ['an address that was typed in', () => posted({ 'Sec-Fetch-Site': 'none' }), 403, 'origin_not_allowed'],
    [
      'a preflight of another site',
      () => ({
        method: 'OPTIONS',
        headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
      }),
      403,
      'origin_not_allowed',
    ],
    [
      'a preflight of another site that asks for every header',
      () => ({
        method: 'OPTIONS',
        headers: { Origin: 'https://evil.example', 'Access-Control-Request-Headers': 'x-a,authorization' },
      }),
      403,
      'origin_not_allowed',
    ],
    [
      'a preflight of nobody',
      () => ({ method: 'OPTIONS', headers: { Origin: '' } }),
      403,
      'origin_not_allowed',
    ],
    [
      'a preflight for the operator’s door',
      () => ({
        path: '/admin/status',
        method: 'OPTIONS',
        headers: { 'Access-Control-Request-Headers': 'authorization' },
      }),
      404,
      'not_found',
    ],
  ]);
});

describe('8, 9: a body that is not a valid batch', () => {
  const bytes = (...list: number[]) => new Uint8Array(list);
  const utf16 = (text: string) => new Uint8Array(Uint16Array.from(text, (char) => char.charCodeAt(0)).buffer);
  const typed = (type: string): Row => [
    `of type ${type}`,
    () => posted({ 'Content-Type': type }),
    415,
    'unsupported_media_type',
  ];
  const encoded = (encoding: string): Row => [
    `encoded as ${encoding}`,
    () => posted({ 'Content-Encoding': encoding }),
    415,
    'unsupported_media_type',
  ];
  const invalid = (name: string, change: (good: string) => Body): Row => [
    name,
    asBody(change),
    400,
    'invalid_batch',
  ];
  const endless = (piece: number) =>
    new ReadableStream({ pull: (out) => out.enqueue(new Uint8Array(piece).fill(0x20)) });

  holds([
    ...[
      '',
      'text/html',
      'text/plain, text/html',
      'text/plain; charset=utf-16',
      'text/plain; charset=utf-7',
      'text/plainx',
      'text/plain; boundary=x',
      'application/json; charset=latin1',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'application/octet-stream',
    ].map(typed),
    ...['gzip', 'br', 'deflate', 'zstd', 'x-gzip', 'identity, gzip', 'aws-chunked'].map(encoded),
    ['declared too large', () => posted({ 'Content-Length': '131073' }), 413, 'too_large'],
    ['declared beyond all', () => posted({ 'Content-Length': '1e400' }), 413, 'too_large'],
    ['one byte too large', asBody((text) => text + ' '.repeat(131_073 - text.length)), 413, 'too_large'],
    ['that never ends', asBody(() => endless(65_536)), 413, 'too_large'],
    ['that never ends, byte by byte', asBody(() => endless(1)), 413, 'too_large'],
    [
      'that never ends, declared small',
      () => ({ body: endless(65_536), headers: { 'Content-Length': '300' } }),
      413,
      'too_large',
    ],
    invalid('empty', () => ''),
    invalid('cut off', (text) => text.slice(0, -1)),
    invalid('cut off in a letter', () => bytes(0x7b, 0x22, 0xc3)),
    invalid('twice', (text) => text + text),
    invalid('with a byte order mark', (text) => `\ufeff${text}`),
    invalid('in UTF-16', utf16),
    invalid('in overlong UTF-8', () => bytes(0xc0, 0xbb)),
    invalid('with a surrogate in UTF-8', () => bytes(0x22, 0xed, 0xa0, 0x80, 0x22)),
    invalid('with a zero in it', (text) => text.replace('johndoe', 'john\0doe')),
    invalid('with a raw line break in a string', (text) => text.replace('johndoe', 'john\ndoe')),
    invalid('that is XML', () => '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
    invalid('that is a form', () => 'v=1&records=1'),
    invalid('with a script before it', (text) => `)]}',\n${text}`),
    invalid('that is null', () => 'null'),
    invalid('that is a number', () => '1'),
    invalid('that is an array', (text) => `[${text}]`),
    invalid('with NaN', (text) => text.replace('1337', 'NaN')),
    invalid('with a hexadecimal number', (text) => text.replace('1337', '0x539')),
    invalid('with single quotes', (text) => text.replaceAll('"', "'")),
    invalid('65,000 levels deep', () => '['.repeat(65_000)),
    invalid('65,000 objects deep', () => '{"a":'.repeat(26_000)),
    invalid('of one name and a flood of colons', () => `"\\u0061${'a'.repeat(60_000)}"${':'.repeat(65_000)}`),
    invalid('with a field twice', (text) => text.replace('{"v":1', '{"v":2,"v":1')),
    invalid('with records twice', (text) => text.replace('"records"', '"records":[],"records"')),
    invalid('with a token twice', (text) => text.replace('{"v":1', '{"v":1,"token":"a","token":"b"')),
    invalid('with a prototype in disguise', (text) =>
      text.replace('{"v":1', '{"__pr\\u006fto__":{"admin":true},"v":1'),
    ),
    invalid('whose envelope is 33 levels deep', (text) =>
      text.replace('{"v":1', `{"x":${'['.repeat(33)}${']'.repeat(33)},"v":1`),
    ),
    invalid('whose envelope holds too many values', (text) =>
      text.replace('{"v":1', `{"x":[${'0,'.repeat(10_000)}0],"v":1`),
    ),
    ...['2', '"1"', 'null', '[1]', '1e400', '{"toString":1}'].map(
      (v): Row => [
        `of version ${v}`,
        asBody((text) => text.replace('{"v":1', `{"v":${v}`)),
        400,
        'unsupported_version',
      ],
    ),
    invalid('with a prototype', (text) => text.replace('{"v":1', '{"__proto__":{"admin":true},"v":1')),
    invalid('of no records', () => JSON.stringify({ ...batchOf(), records: [] })),
    invalid('of 401 records', () => JSON.stringify({ ...batchOf(), records: Array(401).fill(0) })),
    invalid('whose records are an object', () =>
      JSON.stringify({ ...batchOf(), records: { length: 1, 0: {} } }),
    ),
    invalid('whose records are text', () => JSON.stringify({ ...batchOf(), records: 'records' })),
    ...[0.5, '7', null, 1e300, {}].map((clockOffset) =>
      invalid(`whose clock is off by ${JSON.stringify(clockOffset)}`, () =>
        JSON.stringify({ ...batchOf(), clockOffset }),
      ),
    ),
    invalid('that is lenient in words', () => JSON.stringify({ ...batchOf(), lenient: 'true' })),
    invalid('whose token is an object', () => JSON.stringify({ ...batchOf(), token: { cuid: 'johndoe' } })),
    ...[
      ['a number', 7],
      ['an array', ['7b0c2c1e-5f0f-4d0e-9a53-0b9f3f1c2d4e']],
      ['another outbox', '64/3'],
      ['a path', '../../1/0'],
      ['a query', "7b0c2c1e' OR 1=1 --"],
      ['a UUID in braces', '{7b0c2c1e-5f0f-4d0e-9a53-0b9f3f1c2d4e}'],
      ['a UUID and a line break', '7b0c2c1e-5f0f-4d0e-9a53-0b9f3f1c2d4e\n'],
      ['a UUID of other digits', '７b0c2c1e-5f0f-4d0e-9a53-0b9f3f1c2d4e'],
    ].map(([name, device]) =>
      invalid(`whose device is ${name}`, () => JSON.stringify({ ...batchOf(), device })),
    ),
    ...[
      ['a number', Date.now()],
      ['without its zone', '2026-11-23T15:45:00'],
      ['in no calendar', '2026-13-41T25:61:61Z'],
      ['before all time', '-271821-04-20T00:00:00Z'],
      ['after all time', '+275760-09-13T00:00:00Z'],
    ].map(([name, sentAt]) =>
      invalid(`sent at a time ${name}`, () => JSON.stringify({ ...batchOf(), sentAt })),
    ),
  ]);

  test('a body that stalls without an end', async () => {
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort());

    await expectNoHarm(guard, async () => {
      expect((await attack({ body: stalled() })).status).toBe(408);
    });
  });
});

describe('32: an invalid server token', () => {
  const showing = (name: string, Authorization: string, env?: Attack['env']): Row => [
    name,
    () => ({ ...posted({ Origin: '', Authorization }), ...(env && { env }) }),
    401,
    'invalid_token',
  ];
  holds([
    showing('without its token', 'Bearer'),
    showing('with an empty one', 'Bearer '),
    showing('with a wrong one', `Bearer ${'x'.repeat(38)}`),
    showing('with the beginning of it', `Bearer ${SECRETS.SERVER_TOKEN.slice(0, -1)}`),
    showing('with more than it', `Bearer ${SECRETS.SERVER_TOKEN}x`),
    showing('with it in capitals', `Bearer ${SECRETS.SERVER_TOKEN.toUpperCase()}`),
    showing('with it twice', `Bearer ${SECRETS.SERVER_TOKEN}, Bearer ${SECRETS.SERVER_TOKEN}`),
    showing('with it as Basic', `Basic ${btoa(`:${SECRETS.SERVER_TOKEN}`)}`),
    showing('with it alone', SECRETS.SERVER_TOKEN),
    showing('with the operator’s', `Bearer ${SECRETS.ADMIN_TOKEN}`),
    showing('with WebEngage’s key', `Bearer ${SECRETS.WEBENGAGE_API_KEY}`),
    showing('with undefined, where none is set', 'Bearer undefined', { SERVER_TOKEN: '' }),
    [
      'a page of another site that shows it',
      () => posted({ Origin: 'https://evil.example', Authorization: `Bearer ${SECRETS.SERVER_TOKEN}` }),
      403,
      'origin_not_allowed',
    ],
    [
      'with it in the query',
      () => ({ ...posted({ Origin: '' }), path: `/v1/batch?token=${SECRETS.SERVER_TOKEN}` }),
      403,
      'origin_not_allowed',
    ],
    [
      'with it in a cookie',
      () => posted({ Origin: '', Cookie: `SERVER_TOKEN=${SECRETS.SERVER_TOKEN}` }),
      403,
      'origin_not_allowed',
    ],
  ]);
});
