import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type InputOptions, type OutputOptions, rollup } from 'rollup';
import { afterAll, describe, expect, test, vi } from 'vitest';

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const { dependencies, devDependencies } = json('package.json');

describe('the package’s dependencies', () => {
  const [, section = ''] = readFileSync('docs/reference/security.md', 'utf8').split('\n## Supply chain\n');
  const reasons = /Each has its reason:\n\n([\s\S]*?)\n\n/.exec(section)?.[1] ?? '';

  test.each(Object.keys(dependencies))('%s has its reason in the document', (name) => {
    expect(reasons).toMatch(new RegExp(`\\[${name}\\]\\(https://[^)]+\\)\\s+\\w+`));
  });

  test('are exactly those with a reason in the document', () => {
    const named = [...reasons.matchAll(/\[([\w-]+)\]\(/g)].map(([, name]) => name);

    expect(named.sort()).toEqual(Object.keys(dependencies).sort());
  });

  test('are pinned to one version', () => {
    for (const version of Object.values({ ...dependencies, ...devDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test('are pinned by hash and come from the registry alone', () => {
    const packages: Record<string, { resolved?: string; integrity?: string; os?: string[] }> =
      json('package-lock.json').packages;

    for (const [path, { resolved, integrity, os }] of Object.entries(packages)) {
      if (path === '') continue;
      // Of tools of ours for machines that the lockfile was not made on, npm writes no hash down.
      if (os === undefined) expect(integrity ?? '', path).toMatch(/^sha512-/);
      expect(resolved ?? '', path).toMatch(/^(https:\/\/registry\.npmjs\.org\/|$)/);
    }
  });
});

describe('the workflows', () => {
  const FOLDER = '.github/workflows';
  const workflows = readdirSync(FOLDER).map(
    (name) => [name, readFileSync(join(FOLDER, name), 'utf8')] as const,
  );

  test.each(workflows)('%s pins the actions of others by hash', (_, workflow) => {
    const used = [...workflow.matchAll(/uses: (\S+)( # v[\d.]+)?/g)];

    for (const [, action = '', version] of used)
      if (!action.startsWith('./')) {
        expect(action).toMatch(/@[\da-f]{40}$/);
        expect(version).toBeDefined();
      }
  });

  test.each(workflows)(
    '%s has read access, only the publisher has an identity token, and no workflow has a secret',
    (name, workflow) => {
      const [, permissions = ''] = /^permissions:(.*(?:\n {2}.*)*)/m.exec(workflow) ?? [];

      expect(permissions.trim()).toMatch(/^(\{\}|contents: read)$/);
      expect(workflow.match(/: write$/gm) ?? []).toHaveLength(name === 'publish.yml' ? 1 : 0);
      expect(workflow).not.toMatch(/secrets\.|pull_request_target/);
    },
  );
});

describe('the build gives the name and hash of a pinnable script', () => {
  const { full, ...core } = json('dist/integrity.json');

  test.each([
    ['tracker.js', core, /^tracker\.[\da-f]{12}\.js$/],
    ['tracker.full.js', full, /^tracker\.full\.[\da-f]{12}\.js$/],
  ])('%s', (script, { name, integrity, url }, pinned) => {
    const bytes = readFileSync(`dist/${script}`);

    expect(name).toBe(script);
    expect(integrity).toBe(`sha384-${createHash('sha384').update(bytes).digest('base64')}`);
    expect(basename(url)).toMatch(pinned);
    expect(readFileSync(`dist/public${url}`).equals(bytes)).toBe(true);
    expect(readdirSync('dist/public').filter((file) => pinned.test(file))).toEqual([basename(url)]);
  });
});

describe('the build', () => {
  const folder = mkdtempSync(join(tmpdir(), 'webengage-relay-build-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    'dist/tracker.js',
    'dist/tracker.full.js',
    'dist/service-worker.js',
    'dist/page-views.js',
    'dist/webengage.js',
    'dist/inspector.js',
  ])(
    'makes the same bytes of %s again, and prints their hash',
    async (file) => {
      const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
      const { default: config } = await import('../rollup.config.mjs' as string);
      const outputs = ({ output }: { output: OutputOptions | OutputOptions[] }) => [output].flat();
      const entry: InputOptions & { output: OutputOptions | OutputOptions[] } = config.find(
        (each: { output: OutputOptions | OutputOptions[] }) => outputs(each).some((one) => one.file === file),
      );
      const output = outputs(entry).find((one) => one.file === file);
      const again = join(folder, basename(file));

      await (await rollup(entry)).write({ ...output, file: again });

      const bytes = readFileSync(again);
      expect(bytes.equals(readFileSync(file))).toBe(true);
      expect(bytes.equals(readFileSync(file.replace('dist/', 'dist/public/')))).toBe(true);
      const hash = createHash('sha384').update(bytes).digest('base64');
      expect(printed.mock.calls).toEqual([[`${basename(file)} sha384-${hash}`]]);
      printed.mockRestore();
    },
    60_000,
  );
});
