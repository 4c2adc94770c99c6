/** Where an account of WebEngage may live. */
export const REGIONS = ['global', 'in', 'ksa'] as const;

export type Region = (typeof REGIONS)[number];

// https://docs.webengage.com/docs/rest-api-getting-started
const UPSTREAMS: Readonly<Record<Region, string>> = {
  global: 'https://api.webengage.com',
  in: 'https://api.in.webengage.com',
  ksa: 'https://api.ksa.webengage.com',
};

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** The address to call, without a slash at its end. */
export function upstreamOfRegion(region: Region): string {
  return UPSTREAMS[region];
}

/**
 * The address to call, without a slash at its end; undefined where the host is not one of WebEngage's.
 * A closed list: whoever can change a variable must not be able to have the key sent elsewhere.
 */
export function upstreamOfHost(host: string): string | undefined {
  const address = host.includes('://') ? host.replace(/\/$/, '') : `https://${host}`;
  return LOOPBACK.test(address) || Object.values(UPSTREAMS).includes(address) ? address : undefined;
}

/** True where the upstream is this machine's own: for development only. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address);
}
