import { readFileSync } from 'node:fs';
import { VERSION } from '../contract/version.ts';

/** What this package brings, for a project that deploys it. */
export type Package = {
  readonly version: string;
  /** The address of its README, beside which the documents are. */
  readonly homepage: string;
  /** The version of Wrangler that the relay is tested with. */
  readonly wrangler: string;
  /** Our own wrangler.jsonc: what a project's is made of. */
  readonly config: string;
  /** The script that a relay of this version serves as /tracker.js. */
  readonly tracker: Buffer;
};

/** @param root the package's own folder */
export function readPackage(root: URL): Package {
  const { homepage, devDependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  return {
    version: VERSION,
    homepage,
    wrangler: devDependencies.wrangler,
    config: readFileSync(new URL('wrangler.jsonc', root), 'utf8'),
    tracker: readFileSync(new URL('dist/public/tracker.js', root)),
  };
}
