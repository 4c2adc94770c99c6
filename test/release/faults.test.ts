import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type ReleaseFiles, releaseFaults } from './faults.ts';

const READY: ReleaseFiles = {
  manifest: JSON.stringify({
    version: '1.2.0',
    repository: { type: 'git', url: 'git+https://github.com/example/webengage-relay.git' },
    homepage: 'https://github.com/example/webengage-relay#readme',
    bugs: { url: 'https://github.com/example/webengage-relay/issues' },
    author: 'Ada Lovelace',
  }),
  changelog: '# Changelog\n\n## 1.2.0\n\nNew:\n\n## 1.1.0\n',
  others: { 'CODE_OF_CONDUCT.md': 'at conduct@example.com.' },
};

/** The manifest with another value of one field; undefined takes the field away. */
const manifestWith = (change: object) => JSON.stringify({ ...JSON.parse(READY.manifest), ...change });

test('a release with every field set may be published', () => {
  expect(releaseFaults(READY)).toEqual([]);
});

test.each([
  [{ repository: { url: 'git+https://github.com/TO-BE-SET/webengage-relay.git' } }, 'set repository'],
  [{ homepage: 'https://github.com/TO-BE-SET/webengage-relay#readme' }, 'set homepage'],
  [{ bugs: undefined }, 'set bugs'],
  [{ author: 'TO-BE-SET' }, 'set author'],
])('an unset field blocks the release: %j', (change, message) => {
  expect(releaseFaults({ ...READY, manifest: manifestWith(change) })).toEqual([`package.json: ${message}`]);
});

test('a placeholder in another file blocks it too', () => {
  const others = { 'CODE_OF_CONDUCT.md': 'reported at TO-BE-SET.' };

  expect(releaseFaults({ ...READY, others })).toEqual(['CODE_OF_CONDUCT.md: replace TO-BE-SET']);
});

test.each(['## Unreleased\n', '## 1.2.0 (unreleased)\n', '## 1.2.0-rc.1\n'])(
  'a changelog with %j instead of the version blocks it too',
  (changelog) => {
    expect(releaseFaults({ ...READY, changelog })).toEqual([
      'CHANGELOG.md: give the release a heading of its own, ## 1.2.0',
    ]);
  },
);

test('npm itself runs the check before it publishes', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

  expect(scripts.prepublishOnly).toBe('npm run release:check');
  expect(scripts['release:check']).toBe('node test/release/check.ts');
});
