import { describe, expect, test, vi } from 'vitest';
import { senderOf } from '../../../src/edge/auth/sender.ts';

const SHOP = 'https://shop.example.com';
const SERVER_TOKEN = 'a-server-token-of-enough-characters';
const ALLOWED = { allowedOrigins: [SHOP], serverTokens: [{ name: 'server', token: SERVER_TOKEN }] };

const sender = (headers: Record<string, string>, allowed: Parameters<typeof senderOf>[1] = ALLOWED) =>
  senderOf(new Headers(headers), allowed);

const fetched = (site: string, mode: string, dest: string) => ({
  Origin: SHOP,
  'Sec-Fetch-Site': site,
  'Sec-Fetch-Mode': mode,
  'Sec-Fetch-Dest': dest,
});

describe('a page is identified by an allowed origin, as browsers send it', () => {
  // Seen of Chromium, Firefox and WebKit: fetch, also with keepalive, from workers, and through a service worker; fetchLater
  // (Chromium); and sendBeacon, which goes without CORS.
  test.each(['cross-site', 'same-site', 'same-origin'])('%s', async (site) => {
    expect(await sender(fetched(site, 'cors', 'empty'))).toEqual({ kind: 'page' });
    expect(await sender(fetched(site, 'no-cors', 'empty'))).toEqual({ kind: 'page' });
  });

  test('older browsers, and all over http, do not say what made the request', async () => {
    expect(await sender({ Origin: SHOP })).toEqual({ kind: 'page' });
  });
});

test('the pages of an extension belong to no site and may send', async () => {
  const Origin = 'chrome-extension://abcdefghijklmnopabcdefghijklmnop';
  const allowed = { ...ALLOWED, allowedOrigins: [Origin] };

  expect(await sender({ ...fetched('none', 'cors', 'empty'), Origin }, allowed)).toEqual({ kind: 'page' });
  expect(await sender({ ...fetched('none', 'navigate', 'document'), Origin }, allowed)).toMatchObject({
    kind: 'refused',
  });
});

describe('a request from an allowed origin is refused if no script sent it', () => {
  test.each([
    ['a form', fetched('cross-site', 'navigate', 'document')],
    ['a form in a frame', fetched('same-origin', 'navigate', 'iframe')],
    ['an address typed in', fetched('none', 'navigate', 'document')],
    ['a part of the browser itself', fetched('none', 'cors', 'empty')],
    ['an image', fetched('cross-site', 'no-cors', 'image')],
    ['a socket', fetched('cross-site', 'websocket', 'empty')],
  ])('%s', async (_, headers) => {
    expect(await sender(headers)).toMatchObject({ kind: 'refused', code: 'origin_not_allowed' });
  });
});

describe('a server', () => {
  test('sends its token and has no origin', async () => {
    expect(await sender({ Authorization: `Bearer ${SERVER_TOKEN}` })).toEqual({
      kind: 'server',
      name: 'server',
    });
  });

  test('is named by its token, wherever that is in the list, and all tokens are compared', async () => {
    const names = ['orders', 'crm', 'import.2026-11'];
    const serverTokens = names.map((name) => ({ name, token: `a-token-of-the-server-called-${name}` }));
    const compare = vi.spyOn(crypto.subtle, 'timingSafeEqual');

    for (const { name, token } of serverTokens)
      expect(
        await sender({ Authorization: `Bearer ${token}` }, { allowedOrigins: [SHOP], serverTokens }),
      ).toEqual({ kind: 'server', name });

    expect(compare).toHaveBeenCalledTimes(names.length ** 2);
    compare.mockRestore();
  });

  test.each([
    '',
    'Bearer',
    'Bearer wrong',
    SERVER_TOKEN,
    `Basic ${SERVER_TOKEN}`,
    `Bearer ${SERVER_TOKEN}x`,
    `Bearer ${SERVER_TOKEN.slice(0, -1)}`,
    `Bearer ${SERVER_TOKEN.toUpperCase()}`,
    `Bearer ${SERVER_TOKEN}, Bearer x`,
    'Bearer undefined',
  ])('is refused with %j', async (authorization) => {
    expect(await sender({ Authorization: authorization })).toMatchObject({ code: 'invalid_token' });
  });

  test('is refused if no token is set, or a weak one', async () => {
    expect(
      await sender({ Authorization: 'Bearer undefined' }, { allowedOrigins: ['*'], serverTokens: [] }),
    ).toMatchObject({
      code: 'invalid_token',
    });
    expect(
      await sender(
        { Authorization: `Bearer ${'x'.repeat(40)}` },
        { allowedOrigins: ['*'], serverTokens: [{ name: 'server', token: 'x'.repeat(40) }] },
      ),
    ).toMatchObject({ code: 'invalid_token' });
  });

  test('learns that it needs a token if it has none, even if every page may send', async () => {
    expect(await sender({}, { ...ALLOWED, allowedOrigins: ['*'] })).toMatchObject({
      code: 'origin_not_allowed',
      message: expect.stringContaining('SERVER_TOKEN'),
    });
  });
});

test('the server token neither allows nor forbids a page, whose origin decides', async () => {
  const Authorization = `Bearer ${SERVER_TOKEN}`;

  expect(await sender({ Origin: 'https://evil.example', Authorization })).toMatchObject({ kind: 'refused' });
  expect(await sender({ Origin: SHOP, Authorization })).toEqual({ kind: 'page' });
  expect(await sender({ Origin: SHOP, Authorization: 'Bearer wrong' })).toEqual({ kind: 'page' });
});
