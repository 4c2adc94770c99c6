import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Debian's packages for a WebKit that can be driven, on a screen that nobody sees. */
export const WEBKIT_PACKAGES: readonly string[] = [
  'webkit2gtk-driver',
  'xvfb',
  'python3-gi',
  'gir1.2-webkit2-4.1',
];

export const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver';
export const X_SERVER = '/usr/bin/Xvfb';

// Not whichever `python3` comes first: Debian's packages are for Debian's own.
const SYSTEM_PYTHON = '/usr/bin/python3';
const CAN_SHOW_PAGES = "import gi; gi.require_version('WebKit2', '4.1')";

/** Whether this machine has what WebKit is tested with. */
export function hasWebkit(): boolean {
  if (![WEBKIT_DRIVER, X_SERVER, SYSTEM_PYTHON].every((path) => existsSync(path))) return false;
  try {
    execFileSync(SYSTEM_PYTHON, ['-c', CAN_SHOW_PAGES], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // It can't.
  }
}
