import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type Served, serveProject } from './serve-project.ts';

const run = promisify(execFile);

/**
 * The packages below an example's own are those of this day. There are no lockfiles, and a release of tomorrow must
 * not break the tests. A newer version in an example's `package.json` needs a later day.
 */
const AS_OF = '2026-11-29';

const INSTALL = [
  ...['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'],
  ...['--prefer-offline', `--before=${AS_OF}`],
];

const RELAY_IN_EXAMPLES = 'http://localhost:8787';

/** An example in a folder of its own, with everything it depends on. */
export type Project = {
  readonly folder: string;
  /** Runs a script of its `package.json`, if it has it. Rejects with what it prints if it fails. */
  readonly run: (script: string) => Promise<void>;
  /** Serves what is built; resolves once it answers. */
  readonly serve: () => Promise<Served>;
  readonly remove: () => Promise<void>;
};

/** @param relayUrl where its pages send, in place of the relay of `npx webengage-relay dev` */
export async function installExample(
  name: string,
  tarball: string,
  relayUrl = RELAY_IN_EXAMPLES,
): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), `webengage-relay-example-${name}-`));
  for (const path of await filesOfExample(name)) {
    const copy = join(folder, relative(join('examples', name), path));
    await mkdir(dirname(copy), { recursive: true });
    await writeFile(copy, (await readFile(path, 'utf8')).replaceAll(RELAY_IN_EXAMPLES, relayUrl));
  }
  const env = environment();
  const npm = async (...args: readonly string[]) => {
    await run('npm', args, { cwd: folder, env }).catch(({ stdout, stderr }) => {
      throw new Error(`npm ${args.join(' ')} failed in examples/${name}:\n${stdout}${stderr}`);
    });
  };
  await npm(...INSTALL, tarball);
  return {
    folder,
    run: (script) => npm('run', script, '--if-present'),
    serve: () => serveProject(folder, env),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The paths of an example's own files, without what was installed or built in its folder. */
export async function filesOfExample(name: string): Promise<readonly string[]> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', `examples/${name}`];
  return (await run('git', list)).stdout.split('\0').filter(Boolean);
}

/** A user's shell. With the `NODE_ENV` of these tests, tools would install and build something else. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_ENV: _, VITEST: __, ...env } = process.env;
  const quiet = {
    NEXT_TELEMETRY_DISABLED: '1',
    NUXT_TELEMETRY_DISABLED: '1',
    WRANGLER_SEND_METRICS: 'false',
  };
  return { ...env, ...quiet, CI: 'true' };
}
