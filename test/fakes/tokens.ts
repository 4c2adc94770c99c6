import { base64url, exportJWK, exportPKCS8, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';

/** A site's key pair, in every form in which one comes. */
export type SiteKey = {
  readonly privateKey: CryptoKey;
  readonly pem: string;
  readonly privatePem: string;
  readonly jwk: JWK;
  readonly privateJwk: JWK;
};

export async function siteKey(): Promise<SiteKey> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  return {
    privateKey,
    pem: await exportSPKI(publicKey),
    privatePem: await exportPKCS8(privateKey),
    jwk: await exportJWK(publicKey),
    privateJwk: await exportJWK(privateKey),
  };
}

export const jwkSet = (...keys: readonly JWK[]): string => JSON.stringify({ keys });

export const secretJwk = (secret: string): JWK => ({ kty: 'oct', k: base64url.encode(secret) });

/** A token as a site's server makes it, but for what the test says otherwise. */
export function token(
  key: CryptoKey | Uint8Array,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const alg = key instanceof Uint8Array ? 'HS256' : 'RS256';
  return new SignJWT(claims).setProtectedHeader({ alg, ...header }).sign(key);
}
