import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../chromium.ts';
import { type SiteKey, siteKey, token } from '../fakes/tokens.ts';
import { eventsReceived } from './received.ts';
import { type Stack, startStack } from './stack.ts';

// Whoever can look into ada's page, into all that it keeps and sends, tries to write as bruno.

const SERVER_TOKEN = randomBytes(24).toString('hex');

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS });
});
afterAll(async () => {
  await browser?.close();
});

type Seen = {
  readonly page: Page;
  /** Its source and scripts, all it keeps, all it has sent and been answered. */
  readonly all: string;
  /** The bodies that it has sent to the relay. */
  readonly sent: readonly string[];
};

/** Visits the site as ada, tracks what she does, and takes down all that there is to see. */
async function lookInto(stack: Stack, identityToken: string): Promise<Seen> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const heard: Promise<string>[] = [];
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.url().startsWith(stack.relayUrl)) sent.push(request.postData() ?? '');
    heard.push(
      request.allHeaders().then((headers) => JSON.stringify([request.url(), headers, request.postData()])),
    );
  });
  page.on('response', (response) => {
    heard.push(
      Promise.all([response.allHeaders(), response.text()]).then((answer) => JSON.stringify(answer)),
    );
  });
  await page.goto(stack.siteUrl, { waitUntil: 'load' });
  await page.evaluate(async (ofAda) => {
    Object.assign(globalThis, { identityToken: ofAda });
    await webengageRelay.identify('ada', { email: 'ada@example.com' });
    await webengageRelay.track('Looked around');
    await webengageRelay.flush();
  }, identityToken);
  const kept = await page.evaluate(async () => {
    const databases: unknown[] = [];
    const resultOf = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await resultOf(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        const opened = database.transaction(store).objectStore(store);
        databases.push([name, store, await resultOf(opened.getAllKeys()), await resultOf(opened.getAll())]);
      }
      database.close();
    }
    return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, databases]);
  });
  const files = await Promise.all(
    [
      '/tracker.js',
      '/tracker.full.js',
      '/service-worker.js',
      '/tracker.js.map',
      '/health',
      '/.dev.vars',
      '/wrangler.jsonc',
      '/admin/',
    ].map(async (path) => (await fetch(stack.relayUrl + path)).text()),
  );
  const all = [await page.content(), kept, ...files, ...(await Promise.all(heard))].join('\n');
  return { page, all, sent };
}

const record = (kind: 'user' | 'event', userId: string, more: object = {}) => ({
  kind,
  id: `${randomBytes(16).toString('base64url').slice(0, 22)}.1`,
  userId,
  ...(kind === 'event' ? { eventName: 'Forged' } : { email: 'evil@example.com' }),
  ...more,
});

const batchOf = (records: readonly object[], more: object = {}) =>
  JSON.stringify({ v: 1, sentAt: new Date().toISOString(), device: randomUUID(), records, ...more });

/** By a program, which says what it likes; answers the status. */
async function send(stack: Stack, body: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(`${stack.relayUrl}/v1/batch`, {
    method: 'POST',
    headers: { Origin: stack.siteUrl, 'Content-Type': 'text/plain', ...headers },
    body,
  });
  await answer.text();
  return answer.status;
}

/** By the console of ada's own page, as its scripts would. */
function sendFrom(page: Page, { relayUrl }: Stack, body: string): Promise<number> {
  return page.evaluate(
    async ([url, text]) => {
      const answer = await fetch(`${url}/v1/batch`, { method: 'POST', body: text });
      await answer.text();
      return answer.status;
    },
    [relayUrl, body] as const,
  );
}

/** All that WebEngage has of somebody. */
async function recordsOf({ received }: Stack, userId: string): Promise<unknown[]> {
  const { users, events } = await received();
  return [...users, ...events].filter((each) => JSON.stringify(each).includes(userId));
}

describe('with identity tokens required', () => {
  let stack: Stack;
  let site: SiteKey;
  let ofAda: string;
  let seen: Seen;

  beforeAll(async () => {
    site = await siteKey();
    ofAda = await token(site.privateKey, { cuid: 'ada', exp: Math.floor(Date.now() / 1_000) + 600 });
    const IDENTITY_KEY = site.pem.trim().replaceAll('\n', '\\n');
    stack = await startStack({
      settings: { IDENTITY: 'required', IDENTITY_KEY, SERVER_TOKEN },
      lingerMs: 100,
    });
    seen = await lookInto(stack, ofAda);
  });
  afterAll(async () => {
    await stack?.stop();
  });

  test('nothing visible grants access: no key, and no token but the visitor’s own', () => {
    expect(seen.all).toContain('Looked around');
    for (const secret of [stack.apiKey, stack.adminToken, SERVER_TOKEN, site.privatePem.slice(40, 80)])
      expect(seen.all).not.toContain(secret);
    expect(seen.all).not.toMatch(/api\.(in\.|ksa\.)?webengage\.com|bulk-(users|events)/);
  });

  test('nothing from ada’s page writes as bruno, and her own token still writes as her', async () => {
    const { page, sent } = seen;
    const eve = await siteKey();
    const [header = '', claims = '', signature = ''] = ofAda.split('.');
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const ofBruno = part({ cuid: 'bruno', exp: Math.floor(Date.now() / 1_000) + 600 });
    const pem = new TextEncoder().encode(site.pem);
    const tokens: readonly (string | undefined)[] = [
      undefined,
      '',
      ofAda,
      `${header}.${ofBruno}.${signature}`,
      `${header}.${claims}.`,
      `${part({ alg: 'none' })}.${ofBruno}.`,
      await token(pem, { cuid: 'bruno', exp: 9_999_999_999 }),
      await token(eve.privateKey, { cuid: 'bruno', exp: 9_999_999_999 }),
      await token(eve.privateKey, { cuid: 'bruno', exp: 9_999_999_999 }, { jwk: eve.jwk }),
    ];
    const forged = () => [record('user', 'bruno'), record('event', 'bruno')];
    const statuses: number[] = [];

    for (const given of tokens) {
      const shown = given === undefined ? {} : { token: given };
      statuses.push(await send(stack, batchOf(forged(), shown)));
      statuses.push(await sendFrom(page, stack, batchOf(forged(), shown)));
      statuses.push(await send(stack, batchOf([record('event', 'ada'), ...forged()], shown)));
    }
    // What she had sent, in another's name; a server's way, without its token; and with an Origin left out.
    for (const captured of sent)
      statuses.push(
        await send(
          stack,
          JSON.stringify({ ...JSON.parse(captured.replaceAll('"ada"', '"bruno"')), token: ofAda }),
        ),
      );
    for (const headers of [
      { Authorization: `Bearer ${ofAda}` },
      { Authorization: `Bearer ${stack.licenseCode}` },
    ])
      statuses.push(await send(stack, batchOf(forged(), { token: ofAda }), headers));
    // The tracker itself, from her console. It keeps what is refused, and would send it again.
    const ended = await page.evaluate(async () => {
      await webengageRelay.identify('bruno', { email: 'evil@example.com' });
      await webengageRelay.track('Forged');
      return webengageRelay.flush();
    });

    expect(new Set(statuses)).toEqual(new Set([401]));
    expect(ended).toMatchObject({ settled: false });

    expect(await send(stack, batchOf([record('event', 'ada')], { token: ofAda }))).toBe(202);
    expect((await eventsReceived(stack, 1)).map(({ userId }) => userId)).toEqual(['ada']);
    expect(await recordsOf(stack, 'bruno')).toEqual([]);
  });

  test('nothing from ada’s page opens the admin API or WebEngage’s API', async () => {
    for (const Authorization of [`Bearer ${ofAda}`, `Bearer ${stack.licenseCode}`, 'Bearer undefined'])
      for (const path of ['/admin/status', '/admin/dead-letters', '/admin/dead-letters.ndjson'])
        expect((await fetch(stack.relayUrl + path, { headers: { Authorization } })).status).toBe(404);

    expect(await recordsOf(stack, 'bruno')).toEqual([]);
  });

  test('a visitor without a token can still write as any anonymous visitor', async () => {
    const { userId: _, ...anonymous } = record('event', '', { anonymousId: 'ada', eventName: 'Anonymous' });

    await stack.empty();

    expect(await send(stack, batchOf([anonymous]))).toBe(202);
    const [event] = await eventsReceived(stack, 1);

    expect(event).toMatchObject({ anonymousId: 'ada', eventName: 'Anonymous' });
    expect(event).not.toHaveProperty('userId');
  });

  describe('bytes that no browser sends', () => {
    const good = () => batchOf([{ ...record('event', ''), userId: undefined, anonymousId: 'smuggled' }]);
    const headers = () => `Host: 127.0.0.1\r\nOrigin: ${stack.siteUrl}\r\nContent-Type: text/plain\r\n`;
    const post = (more: string, body: string, line = 'POST /v1/batch HTTP/1.1') =>
      `${line}\r\n${headers()}${more}Connection: close\r\n\r\n${body}`;
    const long = (text: string) => `Content-Length: ${Buffer.byteLength(text)}\r\n`;

    /** Writes bytes to the relay as they are; answers all that comes back until it hangs up, or says nothing for a while. */
    async function write(bytes: string): Promise<string> {
      const { hostname, port } = new URL(stack.relayUrl);
      const socket = connect(Number(port), hostname).setTimeout(2_000);
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1');
      });
      socket.on('timeout', () => socket.destroy());
      socket.on('error', () => socket.destroy());
      socket.end(bytes, 'latin1');
      await once(socket, 'close');
      return answer;
    }

    test('a well-formed request sent in the same way is accepted', async () => {
      expect(await write(post(long(good()), good()))).toMatch(/^HTTP\/1\.1 202/);

      await expect.poll(() => recordsOf(stack, 'smuggled')).toHaveLength(1);
      await stack.empty();
    });

    test('a request may name another host, and WebEngage alone gets its records', async () => {
      for (const bytes of [
        post(long(good()), good(), 'POST http://evil.example/v1/batch HTTP/1.1'),
        post(long(good()), good()).replace('Host: 127.0.0.1', 'Host: api.webengage.com@evil.example'),
      ]) {
        const answer = await write(bytes);
        // The runtime on this machine takes it for its own; at Cloudflare it would be another customer’s.
        const taken = /^HTTP\/1\.1 202/.test(answer) ? 1 : 0;
        await expect.poll(() => recordsOf(stack, 'smuggled')).toHaveLength(taken);
        await stack.empty();
      }
    });

    const cases: readonly (readonly [string, () => string])[] = [
      ['TRACE', () => post('', '', 'TRACE /v1/batch HTTP/1.1')],
      ['CONNECT', () => `CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n`],
      ['no Host header', () => post('', '{}').replace('Host: 127.0.0.1\r\n', '')],
      ['a NUL in the path', () => post(long(good()), good(), 'POST /v1/batch\0 HTTP/1.1')],
      [
        'a NUL in a header',
        () => post(`X: a\0b\r\n${long(good())}`, good()).replace('text/plain', 'text/plain\0'),
      ],
      ['two Content-Lengths', () => post(`Content-Length: 1\r\n${long(good())}`, good())],
      [
        'a Content-Length and chunks',
        () =>
          post(
            `${long('0\r\n\r\n')}Transfer-Encoding: chunked\r\n`,
            '0\r\n\r\nGET /admin/status HTTP/1.1\r\n\r\n',
          ),
      ],
      ['a negative Content-Length', () => post('Content-Length: -1\r\n', good())],
      ['a malformed Content-Length', () => post('Content-Length: 0x10\r\n', good())],
      ['a body shorter than its Content-Length', () => post('Content-Length: 100000\r\n', good())],
      ['malformed chunks', () => post('Transfer-Encoding: chunked\r\n', `zz\r\n${good()}\r\n0\r\n\r\n`)],
      ['a chunk that never arrives', () => post('Transfer-Encoding: chunked\r\n', 'ffff\r\n{')],
      ['another transfer coding', () => post(`Transfer-Encoding: gzip\r\n${long(good())}`, good())],
      ['bytes that are not HTTP', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
      ['HTTP/0.9', () => 'GET /v1/batch\r\n'],
    ];

    test.each(cases)('%s: nothing is accepted or revealed, and the relay goes on', async (_, bytes) => {
      const answer = await write(bytes());

      expect(answer).not.toMatch(/^HTTP\/1\.1 2/);
      for (const secret of [stack.apiKey, stack.adminToken, SERVER_TOKEN])
        expect(answer).not.toContain(secret);
      expect((await fetch(`${stack.relayUrl}/health`)).status).toBe(200);
      expect(await stack.backlog()).toBe(0);
      expect(await recordsOf(stack, 'smuggled')).toEqual([]);
    });
  });
});

describe('with identity tokens off', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack({ lingerMs: 100 });
  });
  afterAll(async () => {
    await stack?.stop();
  });

  test('anyone who knows bruno’s id writes as bruno without a page, as docs/reference/security.md says', async () => {
    expect(await send(stack, batchOf([record('user', 'bruno'), record('event', 'bruno')]))).toBe(202);
    await eventsReceived(stack, 1);

    expect(await recordsOf(stack, 'bruno')).toEqual([
      { userId: 'bruno', email: 'evil@example.com' },
      expect.objectContaining({ userId: 'bruno', eventName: 'Forged' }),
    ]);
  });
});
