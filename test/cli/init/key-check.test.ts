import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { checkKey, meaningOf } from '../../../src/cli/init/key-check.ts';

const KEY = 'a-key-that-must-not-be-told';

test.each([
  [200, 'right'],
  [201, 'right'],
  // The empty call is refused, and the key is not: all that can be hoped for.
  [400, 'right'],
  [422, 'right'],
  [401, 'wrong'],
  [403, 'wrong'],
  [404, 'wrong'],
  [307, 'wrong'],
  [429, 'unsure'],
  [500, 'unsure'],
  [503, 'unsure'],
])('%d says about the key: %s', (status, verdict) => {
  expect(meaningOf(status, { says: 'queued', words: '' })).toMatchObject({
    verdict,
    words: expect.stringContaining(String(status)),
  });
});

test('the message for a 400 says what remains uncertain', () => {
  expect(meaningOf(400, { says: 'error', words: 'Error: events cannot be empty.' }).words).toContain(
    'may answer a wrong license code',
  );
});

/** WebEngage, answering once, and what it was sent. */
async function answering(status: number, body: string) {
  let came = '';
  const server = createServer((request, response) => {
    came = `${request.method} ${request.url} ${request.headers.authorization}\n`;
    request.on('data', (chunk) => {
      came += chunk;
    });
    request.on('end', () => response.writeHead(status, { Location: 'http://127.0.0.1:9/' }).end(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { host: `http://127.0.0.1:${port}`, came: () => came, [Symbol.dispose]: () => void server.close() };
}

test('the call is the relay’s own call, without records', async () => {
  using webEngage = await answering(400, '');

  await checkKey({
    WEBENGAGE_API_KEY: KEY,
    WEBENGAGE_LICENSE_CODE: '~abc',
    WEBENGAGE_HOST: webEngage.host,
  });

  expect(webEngage.came()).toBe(`POST /v1/accounts/~abc/bulk-events Bearer ${KEY}\n{"events":[]}`);
});

test('the key does not appear in the message, even if WebEngage echoes it', async () => {
  using webEngage = await answering(401, `no such key: ${KEY}`);

  const { verdict, words } = await checkKey({
    WEBENGAGE_API_KEY: KEY,
    WEBENGAGE_LICENSE_CODE: '~abc',
    WEBENGAGE_HOST: webEngage.host,
  });

  expect(verdict).toBe('wrong');
  expect(words).toContain('no such key');
  expect(words).not.toContain(KEY);
});

test('a redirect is not followed, so the key goes nowhere else', async () => {
  using webEngage = await answering(307, '');

  const checked = await checkKey({
    WEBENGAGE_API_KEY: KEY,
    WEBENGAGE_LICENSE_CODE: '~abc',
    WEBENGAGE_HOST: webEngage.host,
  });

  expect(checked).toMatchObject({ verdict: 'wrong', words: expect.stringContaining('307') });
});

test('the key is sent to WebEngage’s own hosts alone', async () => {
  const checked = await checkKey({
    WEBENGAGE_API_KEY: KEY,
    WEBENGAGE_LICENSE_CODE: '~abc',
    WEBENGAGE_HOST: 'https://evil.example.com',
  });

  expect(checked).toEqual({ verdict: 'wrong', words: expect.stringContaining('WEBENGAGE_HOST must be') });
});
