import { execFileSync } from 'node:child_process';
import { findChromium } from './chromium.ts';
import { FIREFOX_PACKAGE, findFirefox } from './firefox.ts';
import { hasWebkit, WEBKIT_PACKAGES } from './webkit.ts';

// The tests need real browsers. Where one is missing: Debian's package for root, else, of Chromium, Playwright's own.
function run(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'inherit' });
    return true;
  } catch {
    return false; // What there is to say, the command has said.
  }
}

function missing(): readonly string[] {
  return [
    ...(findChromium() === undefined ? ['chromium'] : []),
    ...(findFirefox() === undefined ? [FIREFOX_PACKAGE] : []),
    ...(hasWebkit() ? [] : WEBKIT_PACKAGES),
  ];
}

if (missing().length > 0 && process.getuid?.() === 0 && run('apt-get', 'update', '-qq'))
  run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing());
if (findChromium() === undefined)
  run(process.execPath, 'node_modules/playwright-core/cli.js', 'install', 'chromium');

if (findChromium() === undefined) {
  console.error(
    'No Chromium, and none could be installed: install one and set CHROMIUM_PATH to its program.',
  );
  process.exit(1);
}
if (missing().length > 0)
  console.warn(`What needs these is not tested here; on Debian: apt-get install ${missing().join(' ')}`);
