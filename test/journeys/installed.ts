import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const ROOT = resolve(import.meta.dirname, '../..');

// What a consumer has beside the package: what it needs at run time, and the types of a Worker's platform.
const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
const BESIDE = [...Object.keys(dependencies), '@cloudflare/workers-types'];

/** A tarball as npm publishes it: its name, its size, and what is in it. */
export type Packed = {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
};

/** The package as npm publishes it, in a project of somebody else's. */
export type Installed = {
  readonly folder: string;
  readonly packed: Packed;
  /** Installs another package of this repository's in it. */
  readonly add: (name: string) => Promise<void>;
  readonly write: (path: string, text: string) => Promise<void>;
  readonly read: (path: string) => Promise<string>;
  /** Runs a tool of this repository's in the project. */
  readonly tool: (script: string, ...args: readonly string[]) => Promise<void>;
  /** Runs a module in plain Node; answers with what it prints, as JSON. */
  readonly node: (code: string) => Promise<unknown>;
  readonly remove: () => Promise<void>;
};

/** Packs into a folder what is built, as it is before every test. */
export async function pack(folder: string): Promise<Packed> {
  const args = ['pack', '--json', '--ignore-scripts', '--offline', '--pack-destination', folder];
  const [packed] = JSON.parse((await run('npm', args, { cwd: ROOT })).stdout);
  return packed;
}

/** Packs what is built, and installs it without a registry: what it depends on is linked from here. */
export async function installPackage(): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'webengage-relay-installed-'));
  const at = join(folder, 'node_modules/webengage-relay');
  await mkdir(at, { recursive: true });
  const packed = await pack(folder);
  await run('tar', ['-xzf', join(folder, packed.filename), '-C', at, '--strip-components=1']);
  const add = async (name: string) => {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), link);
  };
  for (const name of BESIDE) await add(name);
  // As npm does: it is what npx finds.
  await mkdir(join(folder, 'node_modules/.bin'));
  await chmod(join(at, 'dist/bin.js'), 0o755);
  await symlink('../webengage-relay/dist/bin.js', join(folder, 'node_modules/.bin/webengage-relay'));

  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  await write('package.json', JSON.stringify({ type: 'module', private: true }));

  return {
    folder,
    packed,
    add,
    write,
    read: (path) => readFile(join(folder, path), 'utf8'),
    tool: async (script, ...args) => {
      // As in a shell of theirs: what runs these tests has said `test`, and a bundler would build for that.
      const env = { ...process.env, NODE_ENV: 'production' };
      const tool = run(process.execPath, [join(ROOT, 'node_modules', script), ...args], { cwd: folder, env });
      await tool.catch(({ stdout, stderr }) => {
        throw new Error(`${script} failed:\n${stdout}${stderr}`);
      });
    },
    node: async (code) => {
      await write('run.js', code);
      return JSON.parse((await run(process.execPath, ['run.js'], { cwd: folder })).stdout);
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
