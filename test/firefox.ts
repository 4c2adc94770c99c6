import { existsSync } from 'node:fs';

export const FIREFOX_PACKAGE = 'firefox-esr';

const SYSTEM_PATHS = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
];

/** The Firefox to test in: `FIREFOX_PATH` or the system's; undefined where there is none. */
export function findFirefox(): string | undefined {
  return [process.env.FIREFOX_PATH, ...SYSTEM_PATHS].find((path) => path !== undefined && existsSync(path));
}
