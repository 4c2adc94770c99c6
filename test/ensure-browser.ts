import { execFileSync } from 'node:child_process';
import { findChromium } from './chromium.ts';

// The tests need a real Chromium. Where there is none: Debian's package for root, else Playwright's own.
function run(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'inherit' });
    return true;
  } catch {
    return false; // What there is to say, the command has said.
  }
}

function installed(): boolean {
  if (findChromium() !== undefined) return true;
  const isDebianRoot = process.getuid?.() === 0 && run('apt-get', 'update', '-qq');
  if (isDebianRoot && run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'chromium'))
    return true;
  return run(process.execPath, 'node_modules/playwright-core/cli.js', 'install', 'chromium');
}

if (!installed() || findChromium() === undefined) {
  console.error(
    'No Chromium, and none could be installed: install one and set CHROMIUM_PATH to its program.',
  );
  process.exit(1);
}
