import type { TrackerRecord } from '../../contract/record.ts';
import type { IdentitySettings } from '../settings/settings.ts';
import { type Authorized, authorizeUsers } from './authorize-users.ts';
import { type ReadKeys, readKeys } from './identity-key.ts';
import { verifyToken } from './identity-token.ts';

/** Checks if these records, with this token, are accepted for the users they name. */
export type AuthorizeUsers = (
  records: readonly TrackerRecord[],
  token: string | undefined,
  now: number,
) => Promise<Authorized>;

/** How users are verified, or a message on what to set. The message reveals no value. */
export type ReadIdentity =
  | { readonly ok: true; readonly authorizeUsers: AuthorizeUsers }
  | { readonly ok: false; readonly message: string };

const BELIEVED: ReadIdentity = { ok: true, authorizeUsers: async () => ({ ok: true, unverified: false }) };

/** Reads how users are verified. An isolate of the Worker imports keys again only when the setting changes. */
export function identity(): (settings: IdentitySettings) => Promise<ReadIdentity> {
  let known: { readonly text: string; readonly read: ReadKeys } | undefined;
  return async (settings) => {
    if (settings.mode === 'off') return BELIEVED;
    // Caches the keys, not a promise: a request must not wait for work that another request has started.
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
