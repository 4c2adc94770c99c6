/** Whether a host, as `URL` has it, is this machine. */
export const isLocal = (hostname: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);

/** Whether a secret may go there: over TLS, or not off this machine. */
export function isPrivate(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || isLocal(hostname);
}

/**
 * Parses a relay's address: absolute, without a slash at its end. Undefined if it is not one. A bare host gets https, or
 * http if it is this machine.
 */
export function addressOf(given: string): string | undefined {
  const address = given.includes('://') ? given : withScheme(given);
  // A URL may hold a `*`, no host has one.
  if (!URL.canParse(address) || address.includes('*')) return undefined;
  const { protocol, username, password, origin, pathname, search, hash } = new URL(address);
  if (!['http:', 'https:'].includes(protocol) || username + password + search + hash !== '') return undefined;
  return origin + pathname.replace(/\/+$/, '');
}

function withScheme(given: string): string {
  const local = `http://${given}`;
  return URL.canParse(local) && isLocal(new URL(local).hostname) ? local : `https://${given}`;
}
