import { base64url, EncryptJWT, importJWK, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { readKeys } from '../../../src/edge/auth/identity-key.ts';
import { type VerifiedToken, verifyToken } from '../../../src/edge/auth/identity-token.ts';
import { jwkSet, secretJwk, siteKey, token } from '../../fakes/tokens.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const IN_A_MINUTE = NOW / 1_000 + 60;
const JOHN = { cuid: 'johndoe', exp: IN_A_MINUTE };
const SECRET = 'a-shared-secret-of-32-bytes-long';

const bytes = (text: string) => new TextEncoder().encode(text);

const site = await siteKey();
const other = await siteKey();

async function verified(keyText: string, text: string, now: number = NOW): Promise<VerifiedToken> {
  const read = await readKeys(keyText);
  if (!read.ok) throw new Error(read.message);
  return verifyToken(text, read.keys, now);
}

const IS_JOHN: VerifiedToken = { ok: true, userId: 'johndoe' };
const refusedAs = (fault: string) => ({ ok: false, fault });

describe('a token of the site', () => {
  test('identifies its user, with an RSA key or a shared secret in any form', async () => {
    const byKey = await token(site.privateKey, JOHN);
    const bySecret = await token(bytes(SECRET), JOHN);

    expect(await verified(site.pem, byKey)).toEqual(IS_JOHN);
    expect(await verified(jwkSet(site.jwk), byKey)).toEqual(IS_JOHN);
    expect(await verified(SECRET, bySecret)).toEqual(IS_JOHN);
    expect(await verified(`\n${SECRET}\n`, bySecret)).toEqual(IS_JOHN);
    expect(await verified(jwkSet(secretJwk(SECRET)), bySecret)).toEqual(IS_JOHN);
  });

  test('may have additional claims', async () => {
    const text = await token(
      site.privateKey,
      { ...JOHN, iat: NOW / 1_000, sub: 'someone', aud: 'a-shop' },
      { typ: 'JWT' },
    );

    expect(await verified(site.pem, text)).toEqual(IS_JOHN);
  });

  test.each([
    ['of 100 characters', 'u'.repeat(100)],
    ['in another script', '用户-ü-1'],
  ])('may be for a user with an id %s', async (_, cuid) => {
    const text = await token(site.privateKey, { ...JOHN, cuid });

    expect(await verified(site.pem, text)).toEqual({ ok: true, userId: cuid });
  });
});

describe('time', () => {
  const at = (claims: object, seconds: number) =>
    token(site.privateKey, { cuid: 'johndoe', ...claims }).then((text) =>
      verified(site.pem, text, NOW + seconds * 1_000),
    );
  const now = NOW / 1_000;

  test('a token is accepted for 60 seconds after its expiry, for clocks that differ', async () => {
    expect(await at({ exp: now }, 59)).toEqual(IS_JOHN);
    expect(await at({ exp: now }, 60)).toEqual(refusedAs('expired'));
    expect(await at({ exp: now }, 86_400)).toEqual(refusedAs('expired'));
  });

  test('a token is accepted from 60 seconds before its start', async () => {
    expect(await at({ exp: now + 600, nbf: now }, -60)).toEqual(IS_JOHN);
    expect(await at({ exp: now + 600, nbf: now }, -61)).toEqual(refusedAs('not_yet_valid'));
  });

  test('a token from a clock that is ahead is accepted', async () => {
    expect(await at({ exp: now + 600, iat: now + 300 }, 0)).toEqual(IS_JOHN);
  });
});

describe('only the algorithm of the key is accepted, whatever the token says', () => {
  test('none', async () => {
    const unsigned = new UnsecuredJWT(JOHN).encode();
    const [, payload] = unsigned.split('.');
    const [header, , signature] = (await token(site.privateKey, JOHN)).split('.');

    expect(await verified(site.pem, unsigned)).toEqual(refusedAs('bad_signature'));
    expect(await verified(SECRET, unsigned)).toEqual(refusedAs('bad_signature'));
    expect(await verified(site.pem, `${unsigned}${signature}`)).toEqual(refusedAs('bad_signature'));
    expect(await verified(site.pem, `${header}.${payload}.`)).toEqual(refusedAs('bad_signature'));
  });

  test.each([
    ['as PEM', site.pem],
    ['as PEM, without its last line break', site.pem.trim()],
    ['as PEM, without its lines', site.pem.replace(/-----.*?-----|\s/g, '')],
    ['as a JWK', JSON.stringify(site.jwk)],
    ['as a JWK set', jwkSet(site.jwk)],
    ['as its modulus', site.jwk.n ?? ''],
  ])('a signature made with the public key as a secret: %s', async (_, publicKey) => {
    const forged = await token(bytes(publicKey), JOHN);

    expect(await verified(site.pem, forged)).toEqual(refusedAs('bad_signature'));
    expect(await verified(jwkSet(site.jwk), forged)).toEqual(refusedAs('bad_signature'));
  });

  test('another algorithm of the same kind', async () => {
    const rs512 = { alg: 'RS512' };
    const sha512 = await importJWK(site.privateJwk, 'RS512');

    expect(await verified(site.pem, await token(sha512, JOHN, rs512))).toEqual(refusedAs('bad_signature'));
    expect(await verified(SECRET, await token(bytes(SECRET), JOHN, { alg: 'HS512' }))).toEqual(
      refusedAs('bad_signature'),
    );
  });

  test('a secret of the set signs for its own kid alone', async () => {
    const both = jwkSet({ ...site.jwk, kid: 'rsa' }, { ...secretJwk(SECRET), kid: 'secret' });

    expect(await verified(both, await token(bytes(SECRET), JOHN, { kid: 'secret' }))).toEqual(IS_JOHN);
    expect(await verified(both, await token(bytes(SECRET), JOHN, { kid: 'rsa' }))).toEqual(
      refusedAs('bad_signature'),
    );
  });
});

describe('another key', () => {
  test('is refused, whatever its name', async () => {
    const text = await token(other.privateKey, JOHN, { kid: 'a' });

    expect(await verified(site.pem, text)).toEqual(refusedAs('bad_signature'));
    expect(await verified(jwkSet({ ...site.jwk, kid: 'a' }), text)).toEqual(refusedAs('bad_signature'));
    expect(await verified(SECRET, await token(bytes(`${SECRET}!`), JOHN))).toEqual(
      refusedAs('bad_signature'),
    );
  });

  test('has no effect if the token brings it along', async () => {
    const brought = {
      jwk: other.jwk,
      jku: 'https://evil.example/keys',
      x5u: 'https://evil.example/certificate',
      x5c: ['MIIB'],
    };

    expect(await verified(site.pem, await token(other.privateKey, JOHN, brought))).toEqual(
      refusedAs('bad_signature'),
    );
    expect(await verified(site.pem, await token(site.privateKey, JOHN, brought))).toEqual(IS_JOHN);
  });
});

describe('kid', () => {
  const one = jwkSet({ ...site.jwk, kid: 'old' });
  const two = jwkSet({ ...site.jwk, kid: 'old' }, { ...other.jwk, kid: 'new' });

  test('may be missing, or anything if the single key has none', async () => {
    expect(await verified(one, await token(site.privateKey, JOHN))).toEqual(IS_JOHN);
    expect(await verified(site.pem, await token(site.privateKey, JOHN, { kid: 'anything' }))).toEqual(
      IS_JOHN,
    );
  });

  test('names the key among several, and must match the key', async () => {
    expect(await verified(two, await token(site.privateKey, JOHN, { kid: 'old' }))).toEqual(IS_JOHN);
    expect(await verified(two, await token(other.privateKey, JOHN, { kid: 'new' }))).toEqual(IS_JOHN);
    expect(await verified(two, await token(site.privateKey, JOHN, { kid: 'new' }))).toEqual(
      refusedAs('bad_signature'),
    );
    expect(await verified(one, await token(site.privateKey, JOHN, { kid: 'new' }))).toEqual(
      refusedAs('unknown_key'),
    );
  });

  test.each([
    ['is missing', {}],
    ['is unknown', { kid: 'newer' }],
    ['is empty', { kid: '' }],
    ['is a name that every object inherits', { kid: 'constructor' }],
  ])('must name one of several keys: it %s', async (_, header) => {
    expect(await verified(two, await token(site.privateKey, JOHN, header))).toEqual(refusedAs('unknown_key'));
  });

  test('rotates a key with both in use for a while, and then the old one is refused', async () => {
    const made = [
      await token(site.privateKey, JOHN, { kid: 'old' }),
      await token(other.privateKey, JOHN, { kid: 'new' }),
    ];
    const during = await Promise.all(made.map((text) => verified(two, text)));
    const after = await Promise.all(made.map((text) => verified(jwkSet({ ...other.jwk, kid: 'new' }), text)));

    expect(during).toEqual([IS_JOHN, IS_JOHN]);
    expect(after).toEqual([refusedAs('unknown_key'), IS_JOHN]);
  });
});

describe('claims', () => {
  test.each([
    ['no exp', { cuid: 'johndoe' }],
    ['an exp that is text', { ...JOHN, exp: String(IN_A_MINUTE) }],
    ['an exp that is null', { ...JOHN, exp: null }],
    ['an nbf that is text', { ...JOHN, nbf: '0' }],
    ['no cuid', { exp: IN_A_MINUTE, sub: 'johndoe' }],
    ['a cuid that is a number', { ...JOHN, cuid: 7 }],
    ['a cuid that is a list', { ...JOHN, cuid: ['johndoe'] }],
    ['an empty cuid', { ...JOHN, cuid: '' }],
    ['a cuid of 101 characters', { ...JOHN, cuid: 'u'.repeat(101) }],
    ['a cuid with half a surrogate pair', { ...JOHN, cuid: 'u\ud800' }],
  ])('must name a user and an expiry: %s', async (_, claims) => {
    expect(await verified(site.pem, await token(site.privateKey, claims))).toEqual(refusedAs('bad_claims'));
  });
});

describe('something that is not a token', () => {
  test.each([
    ['nothing', ''],
    ['one part', 'token'],
    ['two parts', 'a.b'],
    ['three empty parts', '..'],
    ['a header that is not JSON', 'YWJj.e30.c2ln'],
    ['a header that is a list', 'W10.e30.c2ln'],
    ['characters that are not base64url', 'e30.☃.c2ln'],
  ])('is refused: %s', async (_, text) => {
    expect(await verified(site.pem, text)).toEqual(refusedAs('malformed'));
  });

  test('a JWT with a part missing, added or changed', async () => {
    const [header, payload, signature] = (await token(site.privateKey, JOHN)).split('.');
    const eve = (await token(site.privateKey, { ...JOHN, cuid: 'eve' })).split('.')[1];

    expect(await verified(site.pem, `${header}.${payload}`)).toEqual(refusedAs('malformed'));
    expect(await verified(site.pem, `${header}.${payload}.${signature}.`)).toEqual(refusedAs('malformed'));
    expect(await verified(site.pem, `${header}.${eve}.${signature}`)).toEqual(refusedAs('bad_signature'));
    expect(await verified(site.pem, `${header}.${payload}.`)).toEqual(refusedAs('bad_signature'));
  });

  test('an encrypted JWT', async () => {
    const text = await new EncryptJWT(JOHN)
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(bytes(SECRET));

    expect(await verified(SECRET, text)).toEqual(refusedAs('malformed'));
  });

  /** Signed by the site itself, whatever it says. */
  async function signed(payload: string, header: object = {}): Promise<string> {
    const encode = (text: string) => base64url.encode(text);
    const input = `${encode(JSON.stringify({ alg: 'RS256', ...header }))}.${encode(payload)}`;
    const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', site.privateKey, bytes(input));
    return `${input}.${base64url.encode(new Uint8Array(signature))}`;
  }

  test('a signed list, and signed text', async () => {
    expect(await verified(site.pem, await signed(JSON.stringify(JOHN)))).toEqual(IS_JOHN);
    expect(await verified(site.pem, await signed(JSON.stringify([JOHN])))).toEqual(refusedAs('malformed'));
    expect(await verified(site.pem, await signed('johndoe'))).toEqual(refusedAs('malformed'));
  });

  test.each([
    { crit: ['x'], x: 1 },
    { crit: ['exp'], exp: IN_A_MINUTE },
    { crit: ['b64'], b64: false },
    { crit: [] },
  ])('a JWT with critical extensions: %j', async (header) => {
    const text = await signed(JSON.stringify(JOHN), header);

    expect(await verified(site.pem, text)).toEqual(refusedAs('malformed'));
  });

  test('a JWT of more than 4096 characters, before anything is computed', async () => {
    const fits = await token(site.privateKey, { ...JOHN, filling: 'x'.repeat(2_700) });
    const isTooLong = await token(site.privateKey, { ...JOHN, filling: 'x'.repeat(2_800) });

    expect(fits.length).toBeGreaterThan(4_000);
    expect(await verified(site.pem, fits)).toEqual(IS_JOHN);
    expect(isTooLong.length).toBeLessThan(4_200);
    expect(await verified(site.pem, isTooLong)).toEqual(refusedAs('too_long'));
    expect(await verifyToken('.'.repeat(100_000), [], NOW)).toEqual(refusedAs('too_long'));
  });
});
