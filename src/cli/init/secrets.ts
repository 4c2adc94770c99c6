import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Package } from '../package.ts';
import type { Run } from '../spawn.ts';

type Project = {
  readonly dir: string;
  readonly run: Run;
  readonly interactive: boolean;
  readonly say: (line: string) => void;
};

/** A program and its arguments. */
type Command = readonly [string, ...string[]];

/** The commands that put relay and Wrangler into a project's node_modules: none where both are there. */
export function installCommands(
  dir: string,
  { version, wrangler }: Pick<Package, 'version' | 'wrangler'>,
): readonly Command[] {
  const isThere = (name: string) => existsSync(join(dir, 'node_modules', name, 'package.json'));
  if (['webengage-relay', 'wrangler'].every(isThere)) return [];
  const declared = declaredIn(join(dir, 'package.json'));
  const commands: readonly Command[] = [
    ['npm', 'install', '--save-exact', `webengage-relay@${version}`],
    ['npm', 'install', '--save-dev', `wrangler@${wrangler}`],
  ];
  const missing = commands.filter((command) => !declared.has(command.at(-1)?.split('@')[0] ?? ''));
  return missing.length > 0 ? missing : [['npm', 'install']];
}

/** The names of all that a package.json depends on. */
function declaredIn(path: string): ReadonlySet<string> {
  if (!existsSync(path)) return new Set();
  const { dependencies, devDependencies } = JSON.parse(readFileSync(path, 'utf8'));
  return new Set(Object.keys({ ...dependencies, ...devDependencies }));
}

/** Installs what is missing, and signs in to Cloudflare where somebody is there to do it. False: it did not work. */
export async function prepareWrangler(
  { dir, run, interactive, say }: Project,
  own: Package,
): Promise<boolean> {
  for (const command of installCommands(dir, own)) {
    say(`$ ${command.join(' ')}`);
    if ((await run(command, { cwd: dir })) !== 0) return false;
  }
  if ((await run(['npx', 'wrangler', 'whoami', '--json'], { cwd: dir, quiet: true })) === 0) return true;
  // Without anybody there Wrangler says itself what it needs, at the first secret.
  if (!interactive) return true;
  say('$ npx wrangler login');
  return (await run(['npx', 'wrangler', 'login'], { cwd: dir })) === 0;
}

/** Hands one secret to Wrangler, by its standard input: it stands in no argument, no variable and no file. */
export async function putSecret({ dir, run, say }: Project, name: string, value: string): Promise<boolean> {
  say(`$ npx wrangler secret put ${name}`);
  return (await run(['npx', 'wrangler', 'secret', 'put', name], { cwd: dir, input: value })) === 0;
}
