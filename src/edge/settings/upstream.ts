import type { SettingsEnv } from './settings-env.ts';

// https://docs.webengage.com/docs/rest-api-getting-started
const HOSTS: Readonly<Record<string, string>> = {
  global: 'https://api.webengage.com',
  in: 'https://api.in.webengage.com',
  ksa: 'https://api.ksa.webengage.com',
};

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** The address to call, without a slash at its end; undefined where that is no address of WebEngage's. */
export function upstreamOf({ WEBENGAGE_REGION, WEBENGAGE_HOST }: SettingsEnv): string | undefined {
  return WEBENGAGE_HOST ? upstreamOfHost(WEBENGAGE_HOST) : hostOf(WEBENGAGE_REGION || 'global');
}

function hostOf(region: string): string | undefined {
  return Object.hasOwn(HOSTS, region) ? HOSTS[region] : undefined;
}

// A closed list: whoever can change a variable must not be able to have the key sent elsewhere.
function upstreamOfHost(host: string): string | undefined {
  const address = host.includes('://') ? host.replace(/\/$/, '') : `https://${host}`;
  return LOOPBACK.test(address) || Object.values(HOSTS).includes(address) ? address : undefined;
}

/** True where the upstream is this machine's own: for development only. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address);
}
