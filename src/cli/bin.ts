#!/usr/bin/env node
// What npx starts. It imports nothing before it has checked Node's version, and has no syntax that an old Node can't parse.

// As `engines` of this package and of Wrangler say: a test compares them.
const NEEDED = '20.13';
const NEEDED_BY_WRANGLER = '22';

const [command = '', ...flags] = process.argv.slice(2);
const isWithout = flags.some((flag) => /^(-h|--help|--no-secrets)$/.test(flag));
const runsWrangler = (command === 'dev' || command === 'init') && !isWithout;
const needed = runsWrangler ? NEEDED_BY_WRANGLER : NEEDED;

function ordinal(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major * 1000 + minor;
}

if (ordinal(process.versions.node) >= ordinal(needed)) void import('./cli.ts');
else {
  const subject = runsWrangler ? `${command} runs Wrangler, which needs` : 'this command needs';
  console.error(
    `webengage-relay: ${subject} Node ${needed} or later; this is Node ${process.versions.node}: https://nodejs.org`,
  );
  process.exitCode = 1;
}

export {};
