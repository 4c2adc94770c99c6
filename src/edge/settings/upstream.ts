/** The regions of WebEngage accounts. */
export const REGIONS = ['global', 'in', 'ksa'] as const;

export type Region = (typeof REGIONS)[number];

// https://docs.webengage.com/docs/rest-api-getting-started
const UPSTREAMS: Readonly<Record<Region, string>> = {
  global: 'https://api.webengage.com',
  in: 'https://api.in.webengage.com',
  ksa: 'https://api.ksa.webengage.com',
};

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** The address to call, without a slash at the end. */
export function upstreamOfRegion(region: Region): string {
  return UPSTREAMS[region];
}

/**
 * The address to call, without a slash at the end. Undefined unless the host is one of WebEngage's or, for
 * development, loopback.
 * The list is closed: changing a variable must not be enough to send the key elsewhere.
 */
export function upstreamOfHost(host: string): string | undefined {
  const address = host.includes('://') ? host.replace(/\/$/, '') : `https://${host}`;
  return LOOPBACK.test(address) || Object.values(UPSTREAMS).includes(address) ? address : undefined;
}

/** The region whose host this is, if it is one of WebEngage's. */
export function regionOfHost(host: string): Region | undefined {
  const address = upstreamOfHost(host);
  return REGIONS.find((region) => UPSTREAMS[region] === address);
}

/** True if the upstream is on this machine, which is for development only. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address);
}
