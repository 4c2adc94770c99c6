import { isPrivate } from './address.ts';

/** A token for a relay. `message` names the variable and the remedy, and never contains the token. */
type RelayToken =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly message: string };

// A token with another character would throw at the first request, with the token in the error.
const HEADER_VALUE = /^[\x21-\x7e]+$/;

/**
 * Takes the token for a relay from a variable. It may only be sent to this address.
 *
 * @param what the variable must hold, such as `the ADMIN_TOKEN`
 */
export function tokenFor(
  relay: string,
  what: string,
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): RelayToken {
  const token = env[name]?.trim() ?? '';
  const fail = (message: string): RelayToken => ({ ok: false, message });
  if (token === '') return fail(`the variable ${name} is not set: it must hold ${what} of ${relay}`);
  if (!HEADER_VALUE.test(token)) return fail(`${name} must be printable ASCII without spaces`);
  return isPrivate(relay)
    ? { ok: true, token }
    : fail('the token is only sent over https: use an https address for --relay');
}
