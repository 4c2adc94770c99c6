import { createHash } from 'node:crypto';
import type { Package } from '../package.ts';

/** What the operator has answered: all of it the relay would take. */
export type Answers = {
  readonly name: string;
  readonly license: string;
  readonly region: string;
  readonly origins: string;
  /** Empty: none of its own, an address below workers.dev. */
  readonly domain: string;
};

/** The files that are the relay's; nobody else's of the same name may be overwritten unasked. */
export const RELAY_FILES = ['wrangler.jsonc', 'src/worker.js'] as const;

/** Other names of what Wrangler reads: a folder with one of them is another Worker's. */
export const OTHER_CONFIGS = ['wrangler.json', 'wrangler.toml'] as const;

/** A file, by its path in the project. */
export type ProjectFile = { readonly path: string; readonly text: string };

const ENTRY = `// The relay, unchanged. For a Worker of your own around it, see docs/guides/deploying.md in the repository of webengage-relay.
export { default, Outbox, RateGate, RelayEntrypoint } from 'webengage-relay/edge';
`;

const FREE_PLAN = `// On Cloudflare's free plan: "MAX_SUBREQUESTS": "50",`;

const IGNORED = `node_modules/
.wrangler/
.dev.vars*
!.dev.vars.example
`;

/** The relay's own files. */
export function relayFiles(answers: Answers, { config }: Pick<Package, 'config'>): readonly ProjectFile[] {
  return [
    { path: 'wrangler.jsonc', text: configOf(answers, config) },
    { path: 'src/worker.js', text: ENTRY },
  ];
}

/** What any project has: left alone where it is there. */
export function frameFiles({
  version,
  wrangler,
}: Pick<Package, 'version' | 'wrangler'>): readonly ProjectFile[] {
  const manifest = {
    // Without a name: one like that of the package would keep npm from installing it, and npx from finding it.
    private: true,
    type: 'module',
    scripts: { deploy: 'wrangler deploy', dev: 'webengage-relay dev' },
    // To the letter: what is deployed changes when somebody says so.
    dependencies: { 'webengage-relay': version },
    devDependencies: { wrangler: `^${wrangler}` },
  };
  return [
    { path: 'package.json', text: `${JSON.stringify(manifest, null, 2)}\n` },
    { path: '.gitignore', text: IGNORED },
  ];
}

/** Our own configuration with what is different in a project that has the relay from npm. */
function configOf({ name, license, region, origins, domain }: Answers, config: string): string {
  const routes = JSON.stringify([{ pattern: domain, custom_domain: true }]);
  const address = domain === '' ? '' : `\n  "workers_dev": false,\n  "routes": ${routes},`;
  const edits: readonly (readonly [from: string, to: string])[] = [
    ['"name": "webengage-relay",', `"name": ${JSON.stringify(name)},`],
    ['"main": "src/edge/worker.ts",', `"main": "src/worker.js",${address}`],
    ['"./dist/public"', '"./node_modules/webengage-relay/dist/public"'],
    // First, so that it may end with a comma once it is set.
    ['"vars": {', `"vars": {\n    ${FREE_PLAN}`],
    ['"WEBENGAGE_LICENSE_CODE": ""', `"WEBENGAGE_LICENSE_CODE": ${JSON.stringify(license)}`],
    ['"WEBENGAGE_REGION": "global"', `"WEBENGAGE_REGION": ${JSON.stringify(region)}`],
    ['"ALLOWED_ORIGINS": ""', `"ALLOWED_ORIGINS": ${JSON.stringify(origins)}`],
  ];
  const edited = edits.reduce((text, [from, to]) => {
    const parts = text.split(from);
    if (parts.length !== 2) throw new Error(`wrangler.jsonc of this package must hold ${from} once`);
    return parts.join(to);
  }, config);
  // Limits of requests under one id count together, for all Workers of an account.
  return edited.replace(/("namespace_id": )"\d+"/g, `$1"${namespaceOf(name)}"`);
}

/** A number of a Worker's own, from 1 to 2^31: always the same for the same name. */
function namespaceOf(name: string): number {
  return 1 + (createHash('sha256').update(name).digest().readUInt32BE() >>> 1);
}
