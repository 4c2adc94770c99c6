const MAPPED_IPV4 = /^::ffff:(\d+(\.\d+){3})$/i;

const GROUPS = 8;
const GROUPS_OF_A_NETWORK = 4;

/** Whom an address stands for: an IPv4 address for itself, an IPv6 address for its /64, the whole of which one customer has. */
export function networkOf(address: string): string {
  const mapped = MAPPED_IPV4.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = '', tail = ''] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const after = tail.split(':').filter(Boolean);
  const zeros = Array<string>(Math.max(0, GROUPS - groups.length - after.length)).fill('0');
  const network = [...groups, ...zeros, ...after].slice(0, GROUPS_OF_A_NETWORK);
  return `${network.map((group) => group.toLowerCase().replace(/^0+(?=.)/, '')).join(':')}::/64`;
}

/** A mark by which an outbox knows a network again, and from which nobody without the secret learns which it is. */
export type MarkOf = (network: string, secret: string) => Promise<string>;

/**
 * Makes marks as one isolate of the Worker does: the key is imported once, and again when the secret is another. The secret is
 * to be the same wherever the Worker runs: a mark of one isolate's own chance would give a sender as many shares as there are
 * isolates.
 */
export function networkMarks(): MarkOf {
  const text = new TextEncoder();
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  let known: { readonly secret: string; readonly key: CryptoKey } | undefined;
  return async (network, secret) => {
    // The key, not a promise of it: one request must not wait for what another has begun.
    if (known?.secret !== secret) {
      const key = await crypto.subtle.importKey('raw', text.encode(secret), hmac, false, ['sign']);
      known = { secret, key };
    }
    const mark = await crypto.subtle.sign(
      'HMAC',
      known.key,
      text.encode(`webengage-relay network ${network}`),
    );
    return btoa(String.fromCharCode(...new Uint8Array(mark, 0, 16)));
  };
}
