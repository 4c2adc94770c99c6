import type { TrackerRecord } from '../../contract/record.ts';
import type { VerifiedToken } from './identity-token.ts';
import type { TokenFault } from './token-fault.ts';

/** Whether records are taken as those of the users they name. */
export type Authorized =
  /** `unverified`: they are, and nobody has vouched for it. */
  { readonly ok: true; readonly unverified: boolean } | { readonly ok: false; readonly fault: TokenFault };

/**
 * Holds the users that records name against the token they came with. Records of anonymous visitors need none: where there
 * are no others, a token is not even looked at, so that an expired one costs nothing that it was not needed for.
 */
export async function authorizeUsers(
  records: readonly TrackerRecord[],
  token: string | undefined,
  isRequired: boolean,
  verify: (token: string) => Promise<VerifiedToken>,
): Promise<Authorized> {
  const userIds = new Set(records.flatMap(({ userId }) => userId ?? []));
  if (userIds.size === 0) return { ok: true, unverified: false };
  if (token === undefined)
    return isRequired ? { ok: false, fault: 'missing' } : { ok: true, unverified: true };

  const verified = await verify(token);
  if (!verified.ok) return verified;
  // To the letter: what is only similar is somebody else to WebEngage.
  const isOfAll = [...userIds].every((userId) => userId === verified.userId);
  return isOfAll ? { ok: true, unverified: false } : { ok: false, fault: 'other_user' };
}
