import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { OTHER_CONFIGS, RELAY_FILES } from '../init/project.ts';

/**
 * The configuration of the relay whose project a folder is, as `init` makes it or by hand; undefined where it is none. A
 * Worker's is a relay's if it binds both objects: a web app may be a Worker too.
 */
export function ownRelayIn(dir: string): string | undefined {
  const [ours] = RELAY_FILES;
  return [ours, ...OTHER_CONFIGS]
    .map((name) => join(dir, name))
    .find((path) => existsSync(path) && bindsBoth(readFileSync(path, 'utf8')));
}

const bindsBoth = (config: string): boolean => /\bOUTBOX\b/.test(config) && /\bRATE_GATE\b/.test(config);

// The files in which Wrangler looks for a project's variables, beside its configuration.
const VARIABLES = ['.dev.vars', '.env', '.env.local'];

// Not in a comment: the package's own configuration lists its secrets in one.
const SETS_SERVER_TOKEN = /^(?!\s*(#|\/\/)).*\bSERVER_TOKENS?["']?\s*[=:]/m;

/** Whether a project has tokens of its own for servers. */
export function hasServerToken(config: string): boolean {
  return [config, ...VARIABLES.map((name) => join(dirname(config), name))].some(
    (path) => existsSync(path) && SETS_SERVER_TOKEN.test(readFileSync(path, 'utf8')),
  );
}

/** Whether code in a folder can import this package. */
export function isInstalledIn(dir: string): boolean {
  try {
    createRequire(join(dir, 'package.json')).resolve('webengage-relay/package.json');
    return true;
  } catch {
    return false;
  }
}
