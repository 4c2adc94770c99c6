import type { TrackerRecord } from '../../contract/record.ts';
import type { IdentitySettings } from '../settings/settings.ts';
import { type Authorized, authorizeUsers } from './authorize-users.ts';
import { type ReadKeys, readKeys } from './identity-key.ts';
import { verifyToken } from './identity-token.ts';

/** Whether these records, with this token, are taken as those of the users they name. */
export type AuthorizeUsers = (
  records: readonly TrackerRecord[],
  token: string | undefined,
  now: number,
) => Promise<Authorized>;

/** How users are known at the door, or what to set for it: in words that reveal no value. */
export type ReadIdentity =
  | { readonly ok: true; readonly authorizeUsers: AuthorizeUsers }
  | { readonly ok: false; readonly message: string };

const BELIEVED: ReadIdentity = { ok: true, authorizeUsers: async () => ({ ok: true, unverified: false }) };

/** Reads how users are known, as one isolate of the Worker does: keys are imported once, and again when they are others. */
export function identity(): (settings: IdentitySettings) => Promise<ReadIdentity> {
  let known: { readonly text: string; readonly read: ReadKeys } | undefined;
  return async (settings) => {
    if (settings.mode === 'off') return BELIEVED;
    // The keys, not a promise of them: one request must not wait for what another has begun.
    if (known?.text !== settings.key) known = { text: settings.key, read: await readKeys(settings.key) };
    const { read } = known;
    if (!read.ok) return read;
    const isRequired = settings.mode === 'required';
    return {
      ok: true,
      authorizeUsers: (records, token, now) =>
        authorizeUsers(records, token, isRequired, (text) => verifyToken(text, read.keys, now)),
    };
  };
}
