import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readKeys } from '../src/edge/auth/identity-key.ts';
import { verifyToken } from '../src/edge/auth/identity-token.ts';
import { TOKEN_FAULTS } from '../src/edge/auth/token-fault.ts';
import { identityTokens } from '../src/tracker/add-ons/identity-tokens.ts';
import { resolveOptions, type TrackerOptions } from '../src/tracker/options.ts';
import { startTracker, type Tracker } from '../src/tracker/tracker.ts';
import { strictRelay, tokenEndpoint } from './fakes/browser/identity.ts';
import { fakePlatform } from './fakes/platform.ts';
import { sample } from './samples/samples.ts';

const document = readFileSync('docs/guides/identity-tokens.md', 'utf8');
const makeKey = sample('docs/guides/identity-tokens.md#making-a-key sh').text;
const byKey = sample('docs/guides/identity-tokens.md#making-a-token js').text;
const bySecret = sample('docs/guides/identity-tokens.md#making-a-token js 2').text;
const inPage = sample('docs/guides/identity-tokens.md#in-the-page js').text;
const toJwk = sample('docs/guides/identity-tokens.md#rotating-the-key sh').text;

/** A server of its own, with nothing but what the document tells to install. */
const server = mkdtempSync(join(tmpdir(), 'webengage-relay-server-'));
symlinkSync(resolve('node_modules'), join(server, 'node_modules'));
afterAll(() => rmSync(server, { recursive: true }));

/** Runs a script there, as somebody types it. Answers with what it prints. */
function typed(script: string): string {
  const env = { ...process.env, PATH: `${resolve('node_modules/.bin')}:${process.env.PATH}` };
  return execFileSync('sh', ['-ec', script], { cwd: server, env, stdio: 'pipe' }).toString();
}

// The last line hands the key to Cloudflare.
typed(makeKey.replace(/^npx wrangler .*$/m, ''));
const [privateKey = '', publicKey = ''] = ['private', 'public'].map((which) =>
  readFileSync(join(server, `identity-${which}.pem`), 'utf8'),
);
const secret = randomBytes(48).toString('base64');

function tokenBy(recipe: string, env: Record<string, string>): string {
  writeFileSync(join(server, 'identity-token.mjs'), recipe);
  const ask =
    "import { identityToken } from './identity-token.mjs'; console.log(await identityToken('johndoe'));";
  const running = { cwd: server, env: { ...process.env, ...env } };
  return execFileSync(process.execPath, ['--input-type=module', '-e', ask], running).toString().trim();
}

async function userOf(token: string, identityKey: string, afterMs = 0): Promise<unknown> {
  const read = await readKeys(identityKey);
  if (!read.ok) throw new Error(read.message);
  return verifyToken(token, read.keys, Date.now() + afterMs);
}

const JOHN = { ok: true, userId: 'johndoe' };

describe('the recipes of docs/guides/identity-tokens.md make tokens that the relay accepts', () => {
  test('with a key: alone, and during a rotation under the given kid', async () => {
    const token = tokenBy(byKey, { IDENTITY_PRIVATE_KEY: privateKey });
    const jwk = JSON.parse(typed(toJwk));
    const set = {
      keys: [
        { kid: '2026-11', ...jwk },
        { kid: '2027-05', kty: 'oct', k: 'A'.repeat(43) },
      ],
    };

    expect(await userOf(token, publicKey)).toEqual(JOHN);
    expect(await userOf(token, JSON.stringify(set))).toEqual(JOHN);
  });

  test('with a shared secret: alone, and during a rotation', async () => {
    const token = tokenBy(bySecret, { IDENTITY_KEY: secret });
    const k = Buffer.from(secret).toString('base64url');
    const set = {
      keys: [
        { kid: '2026-11', kty: 'oct', k },
        { kid: '2027-05', kty: 'oct', k: 'A'.repeat(43) },
      ],
    };

    expect(await userOf(token, secret)).toEqual(JOHN);
    expect(await userOf(token, JSON.stringify(set))).toEqual(JOHN);
  });

  test('with an expiry after a quarter of an hour and a minute', async () => {
    const token = tokenBy(bySecret, { IDENTITY_KEY: secret });

    expect(await userOf(token, secret, 15.5 * 60_000)).toEqual(JOHN);
    expect(await userOf(token, secret, 16.5 * 60_000)).toEqual({ ok: false, fault: 'expired' });
  });
});

test('the page code of docs/guides/identity-tokens.md gets a token, and records wait if the site makes none', async () => {
  const { platform, time } = fakePlatform();
  const site = tokenEndpoint(time.now);
  const relay = strictRelay(time.now);
  let status = 500;
  const fetched: string[] = [];
  const fetch = async (url: string) => {
    fetched.push(url);
    return new Response(site.made('johndoe'), { status });
  };
  const createTracker = (options: TrackerOptions) =>
    startTracker(resolveOptions(options), { ...platform, fetch: relay.fetch }, options.plugins);
  const tracker: Tracker = new Function(
    'createTracker',
    'identityTokens',
    'fetch',
    `${inPage.replace(/^import .*/m, '')}; return tracker;`,
  )(createTracker, identityTokens, fetch);
  await tracker.identify('johndoe');

  expect(await tracker.flush()).toMatchObject({ settled: false, reason: 'token_required' });
  status = 200;
  await time.pass(60_000);
  expect(await tracker.flush()).toEqual({ settled: true });
  expect(fetched).toEqual(['/identity-token', '/identity-token']);
  expect(relay.requests.map(({ status }) => status)).toEqual([202]);
});

test('docs/guides/identity-tokens.md lists exactly the reasons to refuse a token', () => {
  const [, table = ''] = document.split('| why | means |\n|---|---|\n');
  const [rows = ''] = table.split('\n\n');
  const documented = rows.split('\n').flatMap((row) => (row.split('|')[1] ?? '').match(/\w+/g) ?? []);

  expect(documented.sort()).toEqual(Object.keys(TOKEN_FAULTS).sort());
});
