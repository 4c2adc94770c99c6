import { base64url, type CryptoKey, importJWK, importSPKI } from 'jose';
import {
  array,
  check,
  type InferOutput,
  literal,
  minLength,
  never,
  object,
  optional,
  pipe,
  safeParse,
  string,
  variant,
} from 'valibot';

/** A key that verifies tokens, and the only algorithm it is used with. */
export type IdentityKey = {
  readonly kid: string | undefined;
  readonly alg: 'RS256' | 'HS256';
  readonly key: CryptoKey;
};

/** The keys, or a message on what to set. The message reveals no value. */
export type ReadKeys =
  | { readonly ok: true; readonly keys: readonly IdentityKey[] }
  | { readonly ok: false; readonly message: string };

// https://www.rfc-editor.org/rfc/rfc7518#section-3.2 and #section-3.3
const MIN_SECRET_BYTES = 32;
const MIN_RSA_BITS = 2_048;

const KINDS =
  'IDENTITY_KEY must be a public key in PEM, a JWK set {"keys":[…]}, or a secret of 32 bytes or more';
const PRIVATE =
  'IDENTITY_KEY holds a private key, which must stay on your own server: set the public key instead';
const PEM =
  'IDENTITY_KEY must be one public key, from -----BEGIN PUBLIC KEY----- to -----END PUBLIC KEY-----; use a JWK set for more than one';
const JWK = 'IDENTITY_KEY may hold only JWKs of kty RSA for RS256, or oct for HS256';
const KID = 'IDENTITY_KEY must give each key its own kid';
const TOO_WEAK = {
  RS256: 'IDENTITY_KEY must hold RSA public keys of 2048 bits or more',
  HS256: 'IDENTITY_KEY must hold secrets of 32 bytes or more, in base64url if they are JWKs',
};

const rsaSchema = object(
  {
    kty: literal('RSA'),
    kid: optional(string(KID)),
    alg: optional(literal('RS256', JWK)),
    use: optional(literal('sig', JWK)),
    n: string(JWK),
    e: string(JWK),
    d: optional(never(PRIVATE)),
    p: optional(never(PRIVATE)),
    q: optional(never(PRIVATE)),
  },
  JWK,
);

const secretSchema = object(
  {
    kty: literal('oct'),
    kid: optional(string(KID)),
    alg: optional(literal('HS256', JWK)),
    use: optional(literal('sig', JWK)),
    k: string(JWK),
  },
  JWK,
);

const jwkSetSchema = object(
  {
    keys: pipe(
      array(variant('kty', [rsaSchema, secretSchema], JWK), KINDS),
      minLength(1, KINDS),
      check((keys) => keys.length === 1 || new Set(keys.map(({ kid }) => kid)).size === keys.length, KID),
      check((keys) => keys.length === 1 || keys.every(({ kid }) => kid !== undefined), KID),
    ),
  },
  KINDS,
);

type Jwk = InferOutput<typeof jwkSetSchema>['keys'][number];

/** A key as configured, in a valid form. */
type WrittenKey = Jwk | { readonly kty: 'PEM'; readonly kid?: undefined; readonly spki: string };

/** Parses the secret's text. The text itself shows which of the three kinds it is. */
export async function readKeys(text: string): Promise<ReadKeys> {
  const written = writtenKeys(text.trim());
  if (typeof written === 'string') return { ok: false, message: written };

  const keys: IdentityKey[] = [];
  for (const each of written) {
    const alg = each.kty === 'oct' ? 'HS256' : 'RS256';
    const key = await importKey(each);
    if (key === undefined) return { ok: false, message: TOO_WEAK[alg] };
    keys.push({ kid: each.kid, alg, key });
  }
  return { ok: true, keys };
}

const ONE_PEM = /^-----BEGIN PUBLIC KEY-----[\w+/=\s]+-----END PUBLIC KEY-----$/;

// How a key in base64 begins without its BEGIN and END lines: a DER sequence, usually with another inside.
const BARE_KEY = /^M(I[E-I]|[A-P][\w+/]w)/;

/** The configured keys, or the rule they break. */
function writtenKeys(text: string): readonly WrittenKey[] | string {
  if (/^[{[]/.test(text)) return jwksOf(text);
  // Such text must not be used as a shared secret: everyone knows a public key.
  if (text.includes('-----') || BARE_KEY.test(text)) {
    if (text.includes('PRIVATE KEY')) return PRIVATE;
    // `\n` stands for a line break where a secret can't hold one.
    const spki = text.replaceAll('\\n', '\n');
    return ONE_PEM.test(spki) ? [{ kty: 'PEM', spki }] : PEM;
  }
  return text === '' ? KINDS : [{ kty: 'oct', k: base64url.encode(text) }];
}

function jwksOf(text: string): readonly Jwk[] | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return KINDS;
  }
  const { success, output, issues } = safeParse(jwkSetSchema, json);
  return success ? output.keys : issues[0].message;
}

/** Undefined for a key that is too weak or invalid. */
async function importKey(written: WrittenKey): Promise<CryptoKey | undefined> {
  try {
    switch (written.kty) {
      case 'oct':
        return await importSecret(new Uint8Array(base64url.decode(written.k)));
      case 'RSA':
        // Only the key's numbers: a JWK's own statements about its use must not decide how we use it.
        return strong(await importJWK({ kty: 'RSA', n: written.n, e: written.e }, 'RS256'));
      case 'PEM':
        return strong(await importSPKI(written.spki, 'RS256'));
    }
  } catch {
    return undefined; // The rule covers every fault, so the error is not needed.
  }
}

async function importSecret(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey | undefined> {
  if (bytes.length < MIN_SECRET_BYTES) return undefined;
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

function strong(key: CryptoKey | Uint8Array): CryptoKey | undefined {
  const bits =
    'algorithm' in key && 'modulusLength' in key.algorithm ? Number(key.algorithm.modulusLength) : 0;
  return 'algorithm' in key && bits >= MIN_RSA_BITS ? key : undefined;
}
