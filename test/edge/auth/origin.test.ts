import { describe, expect, test } from 'vitest';
import { corsHeaders, originAllowed } from '../../../src/edge/auth/origin.ts';
import { isOriginPattern } from '../../../src/edge/settings/origin-pattern.ts';

const SHOP = 'https://shop.example.com';
const LISTED = [SHOP, 'https://*.example.org', 'http://*.test.example.net:8080'];

describe('an origin is allowed', () => {
  test.each([
    SHOP,
    'https://a.example.org',
    'https://a.b-c.example.org',
    'https://xn--bcher-kva.example.org',
    'http://a.test.example.net:8080',
  ])('%s', (origin) => {
    expect(originAllowed(origin, LISTED)).toBe(true);
  });
});

describe('an origin is not allowed', () => {
  test.each([
    // Another scheme, port, case or spelling is another origin.
    'http://shop.example.com',
    'https://shop.example.com:8443',
    'https://SHOP.example.com',
    'https://shop.example.com.',
    'https://shop.example.com/',
    'https://www.shop.example.com',
    'https://example.com',
    // Ends or begins like one.
    'https://shop.example.com.evil.example',
    'https://evilshop.example.com',
    'https://shop.example.com@evil.example',
    'https://shop.example.com%00.evil.example',
    // The wildcard: never the bare domain, never another's, and labels alone.
    'https://example.org',
    'https://.example.org',
    'https://a..example.org',
    'https://evilexample.org',
    'https://a.example.org.',
    'https://a.example.org:8443',
    'http://a.example.org',
    'http://some.a.example.org',
    'https://A.example.org',
    'https://*.example.org',
    'https://evil.example/.example.org',
    'https://evil.example?.example.org',
    'https://evil.example#.example.org',
    'https://evil.example\\.example.org',
    'https://evil.example:80.example.org',
    'https://user@a.example.org',
    'https://а.example.org', // A Cyrillic а: a browser would send xn--80a.
    'https://a.example.org\n',
    'https://a.test.example.net:8080',
    'http://a.test.example.net',
    'null',
    '*',
    '',
    'file://',
    'chrome-extension://abcdefghijklmnop',
  ])('%s', (origin) => {
    expect(originAllowed(origin, LISTED)).toBe(false);
    expect(corsHeaders(origin, LISTED)).toEqual({ Vary: 'Origin' });
  });

  test('if the header is missing, even by *', () => {
    expect(originAllowed(null, ['*'])).toBe(false);
  });
});

test('* allows every page, and the null origin, which anyone can send', () => {
  for (const origin of [SHOP, 'null']) {
    expect(originAllowed(origin, ['*'])).toBe(true);
    expect(corsHeaders(origin, ['*'])).toMatchObject({ 'Access-Control-Allow-Origin': '*' });
  }
});

test('the browser gets the page’s own origin, not the wildcard', () => {
  expect(corsHeaders('https://a.example.org', LISTED)).toEqual({
    'Access-Control-Allow-Origin': 'https://a.example.org',
    'Access-Control-Expose-Headers': 'Retry-After',
    Vary: 'Origin',
  });
});

describe('ALLOWED_ORIGINS may contain', () => {
  test.each([
    '*',
    SHOP,
    'http://localhost:3000',
    'http://127.0.0.1:3000',
    'https://xn--bcher-kva.example',
    'https://*.example.com',
    'https://*.shop.example.com:8443',
    'http://*.example.com',
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'https://tauri.localhost',
    'app://localhost',
    'app://-',
    'app://obsidian.md',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'moz-extension://7b0c2c1e-5f0f-4d0e-9a53-0b9f3f1c2d4e',
    'safari-web-extension://7B0C2C1E-5F0F-4D0E-9A53-0B9F3F1C2D4E',
    'com.example.shop://localhost:8080',
    'file://',
  ])('%s, which may then send', (pattern) => {
    expect(isOriginPattern(pattern)).toBe(true);
    if (!pattern.includes('*')) expect(originAllowed(pattern, [SHOP, pattern])).toBe(true);
  });
});

test('an app’s origin is compared exactly', () => {
  const allowed = ['capacitor://localhost'];

  for (const origin of [
    'ionic://localhost',
    'capacitor://localhost:80',
    'capacitor://localhost.evil',
    'file://',
  ])
    expect(originAllowed(origin, allowed)).toBe(false);
  expect(corsHeaders('capacitor://localhost', allowed)).toMatchObject({
    'Access-Control-Allow-Origin': 'capacitor://localhost',
  });
});

describe('ALLOWED_ORIGINS may not contain', () => {
  test.each([
    '',
    'null',
    'shop.example.com',
    '//shop.example.com',
    'https://shop.example.com/',
    'https://shop.example.com/path',
    'https://shop.example.com?',
    'https://Shop.example.com',
    'https://shop.example.com.',
    'https://shop.example.com.:8443',
    'https://shop.example.com:443',
    'https://user:password@shop.example.com',
    'https://bücher.example',
    'https://shop example.com',
    'ftp://shop.example.com',
    'https://*',
    'https://*.',
    'https://*.com',
    'https://*.localhost',
    'https://**.example.com',
    'https://*.*.example.com',
    'https://a.*.example.com',
    'https://a*.example.com',
    'https://*example.com',
    'https://*.Example.com',
    'https://*.example.com/',
    'https://*.example.com.',
    'https://*.example.com:443',
    'https://*.127.0.0.1',
    'https://*.[::1]',
    'https://*.user@example.com',
    '*.example.com',
    '*://shop.example.com',
    // A slip in https, or what no page comes from: either would match nothing.
    'htps://shop.example.com',
    'httpss://shop.example.com',
    'ws://shop.example.com',
    'data://shop',
    'javascript://shop',
    'file:///index.html',
    'capacitor://',
    'capacitor:localhost',
    'capacitor://localhost/',
    'capacitor://*.localhost',
    'capacitor://user@localhost',
    'Capacitor://localhost',
    'capacitor://local host',
  ])('%s', (pattern) => {
    expect(isOriginPattern(pattern)).toBe(false);
  });
});
