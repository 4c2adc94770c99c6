import { exportJWK, exportPKCS8, exportSPKI, generateKeyPair } from 'jose';
import { describe, expect, test } from 'vitest';
import { readKeys } from '../../../src/edge/auth/identity-key.ts';
import { jwkSet, secretJwk, siteKey } from '../../fakes/tokens.ts';

// 32 bytes, of pieces that stand in no message.
const SECRET = 'canary001canary002canary003canar';

const site = await siteKey();
const other = await siteKey();
const curve = await generateKeyPair('ES256', { extractable: true });
const edwards = await generateKeyPair('Ed25519', { extractable: true });
const weak = (await crypto.subtle.generateKey(
  {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 1_024,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  },
  true,
  ['sign', 'verify'],
)) as CryptoKeyPair;

const curved = { pem: await exportSPKI(curve.publicKey), jwk: await exportJWK(curve.publicKey) };
const curvedPrivatePem = await exportPKCS8(curve.privateKey);
const edwardsPem = await exportSPKI(edwards.publicKey);
const weaker = { pem: await exportSPKI(weak.publicKey), jwk: await exportJWK(weak.publicKey) };

const bare = (pem: string) => pem.replace(/-----.*?-----|\s/g, '');

describe('a key', () => {
  test.each([
    ['a public key in PEM', site.pem, [['RS256', undefined]]],
    ['a PEM with its line breaks written out', site.pem.replaceAll('\n', '\\n'), [['RS256', undefined]]],
    ['a PEM surrounded by whitespace', `\n ${site.pem}\r\n\n`, [['RS256', undefined]]],
    ['a JWK set of one RSA key', jwkSet(site.jwk), [['RS256', undefined]]],
    ['a JWK set of one secret', jwkSet(secretJwk(SECRET)), [['HS256', undefined]]],
    [
      'a JWK set as identity providers publish it',
      jwkSet({ ...site.jwk, kid: 'a', alg: 'RS256', use: 'sig', x5t: 'of-a-certificate' }),
      [['RS256', 'a']],
    ],
    [
      'a JWK set of both kinds',
      jwkSet({ ...site.jwk, kid: 'a' }, { ...secretJwk(SECRET), kid: 'b' }),
      [
        ['RS256', 'a'],
        ['HS256', 'b'],
      ],
    ],
    ['a shared secret', SECRET, [['HS256', undefined]]],
    ['a shared secret of 32 bytes in 16 characters', 'é'.repeat(16), [['HS256', undefined]]],
  ])('is accepted: %s', async (_, text, keys) => {
    const read = await readKeys(text);

    expect(read.ok && read.keys.map(({ alg, kid }) => [alg, kid])).toEqual(keys);
  });

  test.each([
    ['a private key in PEM', site.privatePem, /private key.*public key instead/],
    ['a private key beside the public one', `${site.pem}\n${site.privatePem}`, /private key/],
    [
      'a private key in OpenSSL’s old format',
      site.privatePem.replaceAll('PRIVATE', 'RSA PRIVATE'),
      /private key/,
    ],
    ['a private JWK', jwkSet(site.privateJwk), /private key/],
    ['a private JWK without its primes', jwkSet({ ...site.jwk, d: site.privateJwk.d ?? '' }), /private key/],
    ['a private JWK with only a prime left', jwkSet({ ...site.jwk, p: 'AQAB' }), /private key/],
    ['two PEMs', `${site.pem}\n${other.pem}`, /one public key.*JWK set/],
    ['a PEM with another label', site.pem.replaceAll('PUBLIC', 'RSA PUBLIC'), /BEGIN PUBLIC KEY/],
    ['a certificate', site.pem.replaceAll('PUBLIC KEY', 'CERTIFICATE'), /BEGIN PUBLIC KEY/],
    ['a PEM without its end', site.pem.slice(0, -30), /BEGIN PUBLIC KEY/],
    ['a PEM with other content', site.pem.replace('MII', 'MIJ'), /RSA public keys/],
    ['a PEM of an elliptic-curve key', curved.pem, /RSA public keys/],
    ['a PEM of a 1024-bit key', weaker.pem, /2048 bits/],
    ['a public key without line breaks', bare(site.pem), /BEGIN PUBLIC KEY/],
    ['an elliptic-curve key without line breaks', bare(curved.pem), /BEGIN PUBLIC KEY/],
    ['an Ed25519 key without line breaks', bare(edwardsPem), /BEGIN PUBLIC KEY/],
    ['a weak key without line breaks', bare(weaker.pem), /BEGIN PUBLIC KEY/],
    ['a private key without line breaks', bare(site.privatePem), /BEGIN PUBLIC KEY/],
    ['a private elliptic-curve key without line breaks', bare(curvedPrivatePem), /BEGIN PUBLIC KEY/],
    ['a JWK of an elliptic-curve key', jwkSet(curved.jwk), /kty RSA/],
    ['a JWK of a 1024-bit key', jwkSet(weaker.jwk), /2048 bits/],
    ['a JWK for another algorithm', jwkSet({ ...site.jwk, alg: 'RS512' }), /RS256/],
    ['a secret for another algorithm', jwkSet({ ...secretJwk(SECRET), alg: 'HS512' }), /HS256/],
    ['a JWK for encryption', jwkSet({ ...site.jwk, use: 'enc' }), /only JWKs/],
    ['a JWK without a modulus', jwkSet({ kty: 'RSA', e: 'AQAB' }), /kty RSA/],
    ['a key that is text', JSON.stringify({ keys: [SECRET] }), /kty RSA/],
    ['two keys without a kid', jwkSet(site.jwk, other.jwk), /each key its own kid/],
    ['two keys, one without a kid', jwkSet({ ...site.jwk, kid: 'a' }, other.jwk), /each key its own kid/],
    [
      'two keys with the same kid',
      jwkSet({ ...site.jwk, kid: 'a' }, { ...other.jwk, kid: 'a' }),
      /each key its own kid/,
    ],
    ['a kid that is a number', JSON.stringify({ keys: [{ ...site.jwk, kid: 1 }] }), /kid/],
    ['a secret of 31 bytes in a JWK', jwkSet(secretJwk(SECRET.slice(1))), /32 bytes/],
    ['a secret in a JWK that is not base64url', jwkSet({ kty: 'oct', k: `${SECRET}!` }), /base64url/],
    ['a JWK set without keys', jwkSet(), /JWK set/],
    ['a JWK outside a set', JSON.stringify(site.jwk), /JWK set/],
    ['a list of keys outside a set', JSON.stringify([site.jwk]), /JWK set/],
    ['truncated JSON', jwkSet(site.jwk).slice(0, -5), /JWK set/],
    ['a secret of 31 bytes', SECRET.slice(1), /32 bytes/],
    ['blanks', ' '.repeat(40), /must be/],
  ])('is refused with a message that reveals nothing of it: %s', async (_, text, words) => {
    const read = await readKeys(text);

    expect(read).toEqual({ ok: false, message: expect.stringMatching(words) });
    expect(JSON.stringify(read)).toContain('IDENTITY_KEY');
    for (const piece of text.match(/\w{9,}/g) ?? []) expect(JSON.stringify(read)).not.toContain(piece);
  });
});
