import { readSettings } from '../../edge/settings/settings.ts';
import type { SettingsEnv } from '../../edge/settings/settings-env.ts';
import type { Answers } from './project.ts';

// What the relay asks for besides the one setting that is looked at.
const OTHERS: SettingsEnv = {
  WEBENGAGE_API_KEY: 'a-key',
  WEBENGAGE_LICENSE_CODE: 'a-license',
  ALLOWED_ORIGINS: '*',
};

/** What the relay would say of this setting, in its own words; undefined where it takes it. Never tells a value. */
export function settingFault(setting: SettingsEnv): string | undefined {
  const read = readSettings({ ...OTHERS, ...setting });
  return read.ok ? undefined : read.message;
}

// What Cloudflare takes for a Worker that is to have an address below workers.dev: one label of a host name.
const WORKER_NAME = /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/;

function nameFault(name: string): string | undefined {
  return WORKER_NAME.test(name)
    ? undefined
    : 'the name must be 1 to 63 characters of a-z, 0-9 and -, and must not begin or end with -';
}

/** @param domain empty: none, and the relay has its address below workers.dev */
function domainFault(domain: string): string | undefined {
  const address = `https://${domain}`;
  // An IP address is a host too, but no zone's.
  const isHost =
    URL.canParse(address) && new URL(address).hostname === domain && /\.[a-z][^.]*$/.test(domain);
  return domain === '' || isHost
    ? undefined
    : 'the domain must be a host name in lower case such as t.example.com, without https://, port or path';
}

/** What is wrong with each answer, in words; undefined where the relay takes it. Never tells a value. */
export const FAULTS: { readonly [of in keyof Answers]: (answer: string) => string | undefined } = {
  license: (answer) => settingFault({ WEBENGAGE_LICENSE_CODE: answer }),
  region: (answer) => settingFault({ WEBENGAGE_REGION: answer }),
  origins: (answer) => settingFault({ ALLOWED_ORIGINS: answer }),
  domain: domainFault,
  name: nameFault,
};
