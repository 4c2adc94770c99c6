const MAPPED_IPV4 = /^::ffff:(\d+(\.\d+){3})$/i;

const GROUPS = 8;
const GROUPS_OF_A_NETWORK = 4;

/**
 * The network of an address: an IPv4 address itself, or an IPv6 address's /64, which belongs to one customer.
 */
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

/**
 * Makes a mark by which an outbox recognizes a network. Nobody can tell the network from it without the
 * secret.
 */
export type MarkOf = (network: string, secret: string) => Promise<string>;

/**
 * Makes marks for one isolate of the Worker. Imports the key once, and again if the secret changes. The
 * secret must be the same wherever the Worker runs. With a random one in each isolate, a sender would get as
 * many shares as there are isolates.
 */
export function networkMarks(): MarkOf {
  const text = new TextEncoder();
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  let known: { readonly secret: string; readonly key: CryptoKey } | undefined;
  return async (network, secret) => {
    // The key is kept, not its promise: a request must not wait for I/O that another request began.
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
