import { readFileSync } from 'node:fs';
import { releaseFaults } from './faults.ts';

// Run by `npm run release:check`, and by npm itself before it publishes.
const read = (path: string) => readFileSync(path, 'utf8');
const others = [
  'CODE_OF_CONDUCT.md',
  '.github/ISSUE_TEMPLATE/config.yml',
  'ops/prometheus/rules.yml',
  'ops/prometheus/rules-tests.yml',
];

const faults = releaseFaults({
  manifest: read('package.json'),
  changelog: read('CHANGELOG.md'),
  others: Object.fromEntries(others.map((path) => [path, read(path)])),
});
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
console.log('Ready to publish.');
