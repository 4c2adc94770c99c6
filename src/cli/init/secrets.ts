import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Package } from '../package.ts';
import { INTERRUPTED, type Run } from '../spawn.ts';

type Project = {
  readonly dir: string;
  readonly run: Run;
  readonly interactive: boolean;
  readonly say: (line: string) => void;
};

/** A program and its arguments. */
type Command = readonly [string, ...string[]];

/** A step that did not work, as the user would type it. */
export type Failure = { readonly command: string; readonly isInterrupted: boolean };

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

/** Installs what is missing, and signs in to Cloudflare where somebody is there to do it. Resolves to the step that failed. */
export async function prepareWrangler(project: Project, own: Package): Promise<Failure | undefined> {
  const { dir, run, interactive } = project;
  for (const command of installCommands(dir, own)) {
    const failure = await perform(project, command);
    if (failure !== undefined) return failure;
  }
  const whoami: Command = ['npx', 'wrangler', 'whoami', '--json'];
  const exitCode = await run(whoami, { cwd: dir, quiet: true });
  if (exitCode === INTERRUPTED) return { command: whoami.join(' '), isInterrupted: true };
  // Without anybody there Wrangler says itself what it needs, at the first secret.
  return exitCode === 0 || !interactive ? undefined : perform(project, ['npx', 'wrangler', 'login']);
}

/** Hands one secret to Wrangler, by its standard input: it stands in no argument, no variable and no file. Resolves as above. */
export function putSecret(project: Project, name: string, value: string): Promise<Failure | undefined> {
  return perform(project, ['npx', 'wrangler', 'secret', 'put', name], value);
}

/** Shows a command and runs it. */
async function perform(
  { dir, run, say }: Project,
  command: Command,
  input?: string,
): Promise<Failure | undefined> {
  const shown = command.join(' ');
  say(`$ ${shown}`);
  const exitCode = await run(command, { cwd: dir, ...(input !== undefined && { input }) });
  return exitCode === 0 ? undefined : { command: shown, isInterrupted: exitCode === INTERRUPTED };
}
