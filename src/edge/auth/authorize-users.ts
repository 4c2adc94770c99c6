import type { TrackerRecord } from '../../contract/record.ts';
import type { VerifiedToken } from './identity-token.ts';
import type { TokenFault } from './token-fault.ts';

/** Whether records are accepted for the users they name. */
export type Authorized =
  /** `unverified`: true if the records name users without an identity token. */
  { readonly ok: true; readonly unverified: boolean } | { readonly ok: false; readonly fault: TokenFault };

/**
 * Checks the users that records name against the batch's identity token. Records of anonymous visitors need
 * no token. If there are no others, the token is not read, so an expired one does no harm.
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
  // Exact match: WebEngage treats a similar id as another user.
  const isOfAll = [...userIds].every((userId) => userId === verified.userId);
  return isOfAll ? { ok: true, unverified: false } : { ok: false, fault: 'other_user' };
}
