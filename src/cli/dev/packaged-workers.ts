import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The Workers that this package brings, and where they lie in it. */
const PACKAGED = {
  relay: { config: 'wrangler.jsonc', main: 'dist/edge.js', assets: 'dist/public' },
  sandbox: {
    config: 'dist/sandbox/wrangler.jsonc',
    main: 'dist/sandbox/worker.js',
    assets: 'dist/sandbox/public',
  },
} as const;

/**
 * Writes down in a folder how Wrangler runs a Worker of this package, and answers with the file's path. Not where it lies: what
 * Wrangler writes beside a configuration has no place in an installed package.
 *
 * @param root the package's own folder
 */
export function configOf(worker: keyof typeof PACKAGED, root: URL, folder: string): string {
  const { config, main, assets } = PACKAGED[worker];
  const at = (path: string) => fileURLToPath(new URL(path, root));
  const text = readFileSync(at(config), 'utf8').replace(/^\s*\/\/.*$/gm, '');
  const path = join(folder, `${worker}.json`);
  writeFileSync(
    path,
    JSON.stringify({ ...JSON.parse(text), main: at(main), assets: { directory: at(assets) } }),
  );
  return path;
}
