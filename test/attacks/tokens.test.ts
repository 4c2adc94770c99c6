import { base64url } from 'jose';
import { describe, expect, test } from 'vitest';
import { batchOf, newSession } from '../edge/requests.ts';
import { eventRecord, idOf, userRecord } from '../fakes/records.ts';
import { jwkSet, secretJwk, siteKey, token } from '../fakes/tokens.ts';
import { attack, expectNoHarm, onGuard } from './harness.ts';

// 14: somebody who is not johndoe, and holds a token of her own at the most, tries to write as him.

const guard = onGuard();
const site = await siteKey();
const eve = await siteKey();

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;
const exp = inSeconds(600);
const johns = { cuid: 'johndoe', exp };
const part = (value: unknown) => base64url.encode(JSON.stringify(value));
const text = (words: string) => new TextEncoder().encode(words);

const ofEve = await token(site.privateKey, { cuid: 'eve', exp });
const ofJohn = await token(site.privateKey, johns);
const [header = '', payload = '', signature = ''] = ofEve.split('.');
const [, johnsPayload = '', johnsSignature = ''] = ofJohn.split('.');

/** A token that says of itself how it is to be verified, signed by eve. */
const byEve = (more: object) => token(eve.privateKey, johns, { ...more });
const unsigned = (alg: string, end = '') => `${part({ alg, typ: 'JWT' })}.${part(johns)}.${end}`;
const bySecret = (words: string) => token(text(words), johns);
/** What the site's own server signed by mistake. */
const signed = (claims: Readonly<Record<string, unknown>>) => token(site.privateKey, claims);

const event = (userId: string) => eventRecord(1, { id: idOf(1, newSession()), userId });
const REQUIRED = { IDENTITY: 'required', IDENTITY_KEY: site.pem };

async function write(batch: object, env: object = REQUIRED, headers = {}, query = '') {
  const body = JSON.stringify(batch);
  return attack({ body, env, headers, path: `/v1/batch${query}` });
}

const FORGED: readonly (readonly [string, string | undefined])[] = [
  ['none', undefined],
  ['an empty token', ''],
  ['dots', '..'],
  ['whitespace', ' '],
  ['his user id', 'johndoe'],
  ['her own token', ofEve],
  ['her token with his claims', `${header}.${johnsPayload}.${signature}`],
  ['her token with his signature', `${header}.${payload}.${johnsSignature}`],
  ['his token without its signature', `${header}.${johnsPayload}.`],
  ['his token with half of its signature', `${ofJohn.slice(0, -100)}`],
  [
    'his token with one character of the signature changed',
    ofJohn.replace(/.{9}$/, (end) => `${end[0] === 'A' ? 'B' : 'A'}${end.slice(1)}`),
  ],
  ['his token with a fourth part', `${ofJohn}.${johnsSignature}`],
  ['his token after “Bearer”', `Bearer ${ofJohn}`],
  ['his token with a line break in it', ofJohn.replace('.', '.\n')],
  ['his token twice', `${ofJohn},${ofJohn}`],
  ['his token padded to 4,097 characters', ofJohn.padEnd(4_097, 'A')],
  ['his token padded to 60,000 characters', ofJohn.padEnd(60_000, 'A')],
  ['alg “none”', unsigned('none')],
  ['alg “None”', unsigned('None')],
  ['alg “nOnE”, with a signature', unsigned('nOnE', johnsSignature)],
  ['an empty alg', unsigned('')],
  ['HS256 keyed with the public PEM', await bySecret(site.pem)],
  ['HS256 keyed with the public PEM without line breaks', await bySecret(site.pem.replaceAll('\n', ''))],
  [
    'HS256 keyed with the bytes of the public key',
    await token(new Uint8Array(base64url.decode(`${site.jwk.n}`)), johns),
  ],
  [
    'HS256 with an empty secret',
    `${part({ alg: 'HS256' })}.${part(johns)}.${base64url.encode(new Uint8Array(32))}`,
  ],
  ['another algorithm', unsigned('ES256', johnsSignature)],
  ['RS512', unsigned('RS512', johnsSignature)],
  ['a token signed with her key', await byEve({})],
  ['a token that embeds her key', await byEve({ jwk: eve.jwk })],
  ['a token with the URL of her key', await byEve({ jku: 'https://evil.example/jwks.json' })],
  ['a token with her certificate', await byEve({ x5c: ['MIIB'], x5u: 'https://evil.example/x' })],
  ['a kid that is a file path', await byEve({ kid: '../../../../dev/null' })],
  ['a kid that is an SQL query', await byEve({ kid: "' UNION SELECT 'a" })],
  ['the kid “__proto__”', await byEve({ kid: '__proto__' })],
  [
    'an unknown critical header',
    `${part({ alg: 'RS256', crit: ['evil'], evil: 1 })}.${part(johns)}.${johnsSignature}`,
  ],
  ['an encrypted token', `${part({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`],
  ['a header of null', `${part(null)}.${part(johns)}.${johnsSignature}`],
  [
    'a header with “__proto__”',
    `${base64url.encode('{"alg":"RS256","__proto__":{"kid":"x"}}')}.${part(johns)}.${johnsSignature}`,
  ],
];

const MISTAKEN: readonly (readonly [string, string])[] = [
  ['that has expired', await signed({ cuid: 'johndoe', exp: inSeconds(-61) })],
  ['with a negative exp', await signed({ cuid: 'johndoe', exp: -1 })],
  ['that is not valid yet', await signed({ ...johns, nbf: inSeconds(120) })],
  ['without an exp', await signed({ cuid: 'johndoe' })],
  ['whose exp is a string', await signed({ cuid: 'johndoe', exp: `${exp}` })],
  ['without a user', await signed({ exp })],
  ['whose cuid is a number', await signed({ cuid: 7, exp })],
  ['whose cuid is a list with his id', await signed({ cuid: ['johndoe'], exp })],
  ['whose cuid is an object', await signed({ cuid: { toString: 'johndoe' }, exp })],
  ['for “*”', await signed({ cuid: '*', exp })],
  ['for his id in capitals', await signed({ cuid: 'JohnDoe', exp })],
  ['for his id and a space', await signed({ cuid: 'johndoe ', exp })],
  ['for his id and an invisible character', await signed({ cuid: 'johndoe\u200b', exp })],
  ['for his id and a NUL', await signed({ cuid: 'johndoe\0', exp })],
  ['with his id as sub', await signed({ sub: 'johndoe', exp })],
];

describe('an event of johndoe is refused', () => {
  test.each(FORGED)('with %s', async (_, given) => {
    await expectNoHarm(guard, async () => {
      expect((await write({ ...batchOf(event('johndoe')), token: given })).status).toBe(401);
    });
  });

  test.each(MISTAKEN)('with one of the site’s own %s', async (_, given) => {
    await expectNoHarm(guard, async () => {
      expect((await write({ ...batchOf(event('johndoe')), token: given })).status).toBe(401);
    });
  });

  test('among events of another user, at any position and whatever else is wrong with them', async () => {
    const bad = { ...event('eve'), eventName: '' };
    for (const records of [
      [event('eve'), event('johndoe')],
      [event('johndoe'), event('eve')],
      [bad, event('johndoe')],
      [...Array.from({ length: 399 }, () => event('eve')), event('johndoe')],
      [{ ...event('johndoe'), anonymousId: 'eve' }],
      [userRecord(1, { id: idOf(1, newSession()) })],
    ])
      await expectNoHarm(guard, async () => {
        expect((await write({ ...batchOf(...records), token: ofEve })).status).toBe(401);
      });
  });

  test('with the user’s token anywhere but in the batch', async () => {
    for (const [headers, query] of [
      [{ Authorization: `Bearer ${ofJohn}` }, ''],
      [{ 'X-Identity-Token': ofJohn, Cookie: `token=${ofJohn}` }, ''],
      [{}, `?token=${ofJohn}`],
    ] as const)
      await expectNoHarm(guard, async () => {
        expect((await write(batchOf(event('johndoe')), REQUIRED, headers, query)).status).toBe(401);
      });
  });

  test('with a kid named like a member of every object, if there are several keys', async () => {
    const IDENTITY_KEY = jwkSet(
      { ...site.jwk, kid: '2026-11' },
      { ...secretJwk('a-shared-secret-of-32-bytes-long'), kid: '2027-05' },
    );
    const keys = ['__proto__', 'toString', 'constructor', '0', 'length', '', '2026-11', '2027-05', undefined];
    for (const kid of keys)
      await expectNoHarm(guard, async () => {
        const batch = { ...batchOf(event('johndoe')), token: await byEve(kid === undefined ? {} : { kid }) };
        expect((await write(batch, { ...REQUIRED, IDENTITY_KEY })).status).toBe(401);
      });
  });

  test('if tokens are optional, once there is one', async () => {
    const optional = { ...REQUIRED, IDENTITY: 'optional' };
    for (const given of [ofEve, unsigned('none'), await byEve({})])
      await expectNoHarm(guard, async () => {
        expect((await write({ ...batchOf(event('johndoe')), token: given }, optional)).status).toBe(401);
      });
  });

  test('with the same answer whether the relay has the record or not', async () => {
    const known = batchOf(event('johndoe'));
    expect((await write({ ...known, token: ofJohn })).status).toBe(202);

    const again = await write({ ...known, token: ofEve });
    const never = await write({ ...batchOf(event('johndoe')), token: ofEve });

    expect(again.status).toBe(401);
    // But for the relay's clock, which tells nothing of either.
    expect({ ...JSON.parse(again.text), now: 0 }).toEqual({ ...JSON.parse(never.text), now: 0 });
  });
});
