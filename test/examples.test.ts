import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { VERSION } from '../src/contract/version.ts';
import { filesOfExample } from './examples/project.ts';
import { README_STUB } from './readme-stub.ts';

// What an example is; test/examples has what each does.

const names = readdirSync('examples', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const readme = readFileSync('examples/README.md', 'utf8');
const visits = readFileSync('test/examples/examples.test.ts', 'utf8');

describe.each(names)('examples/%s', (name) => {
  test('is of at most five files', async () => {
    expect((await filesOfExample(name)).length).toBeLessThanOrEqual(5);
  });

  test('depends on exact versions, and on this one of ours', () => {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(
      readFileSync(`examples/${name}/package.json`, 'utf8'),
    );

    for (const version of Object.values({ ...dependencies, ...devDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(dependencies['webengage-relay'] ?? VERSION).toBe(VERSION);
  });

  test('has its row in the README', () => {
    expect(readme).toContain(`| [${name}](${name}) |`);
  });

  test('is visited in a browser', () => {
    expect(visits).toMatch(new RegExp(`name: '${name}'|'examples/${name}: `));
  });

  test('has no other first line than the README’s', async () => {
    for (const path of await filesOfExample(name)) {
      const page = readFileSync(path, 'utf8');
      if (page.includes('webengageRelay=')) expect(page, path).toContain(README_STUB);
    }
  });
});
