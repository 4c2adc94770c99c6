/**
 * A relay's address as trackers have it: absolute, without a slash at its end; undefined for what is none. A bare host is taken
 * for https.
 */
export function addressOf(given: string): string | undefined {
  const address = given.includes('://') ? given : `https://${given}`;
  // A URL may hold a `*`, no host has one.
  if (!URL.canParse(address) || address.includes('*')) return undefined;
  const { protocol, username, password, origin, pathname, search, hash } = new URL(address);
  if (!['http:', 'https:'].includes(protocol) || username + password + search + hash !== '') return undefined;
  return origin + pathname.replace(/\/+$/, '');
}
