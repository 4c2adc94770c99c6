import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { idRule } from '../../contract/rules/visitor.ts';
import type { IdentityKey } from './identity-key.ts';
import type { TokenFault } from './token-fault.ts';

/** The user of a valid token, or the reason why it is not valid. */
export type VerifiedToken =
  | { readonly ok: true; readonly userId: string }
  | { readonly ok: false; readonly fault: TokenFault };

// Checked before any computation. A token with these claims takes about 500 characters.
const MAX_TOKEN_LENGTH = 4_096;

// How far the clock of the server that makes tokens may be off.
const CLOCK_TOLERANCE_S = 60;

/**
 * Verifies an identity token of the kind WebEngage's own SDKs take. It is a signed JWT with `cuid` (the
 * user's id) and `exp`. The key alone decides the algorithm, never the token. Never rejects.
 */
export async function verifyToken(
  token: string,
  keys: readonly IdentityKey[],
  now: number,
): Promise<VerifiedToken> {
  if (token.length > MAX_TOKEN_LENGTH) return { ok: false, fault: 'too_long' };
  try {
    const key = keyNamed(decodeProtectedHeader(token).kid, keys);
    if (key === undefined) return { ok: false, fault: 'unknown_key' };
    const { payload } = await jwtVerify<{ readonly cuid?: unknown }>(token, key.key, {
      algorithms: [key.alg],
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(now),
    });
    const { cuid } = payload;
    if (typeof cuid !== 'string' || idRule(cuid) !== undefined) return { ok: false, fault: 'bad_claims' };
    return { ok: true, userId: cuid };
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
}

/** A single key is used if the key or the token has no kid. Otherwise the token must name its key by kid. */
function keyNamed(kid: string | undefined, keys: readonly IdentityKey[]): IdentityKey | undefined {
  const [first, ...others] = keys;
  const isOnly = others.length === 0;
  if (isOnly && (kid === undefined || first?.kid === undefined)) return first;
  return kid === undefined ? undefined : keys.find((key) => key.kid === kid);
}

function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === 'nbf' && error.reason === 'check_failed' ? 'not_yet_valid' : 'bad_claims';
  const isOfAnotherKey =
    error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed;
  return isOfAnotherKey ? 'bad_signature' : 'malformed';
}
