import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export type WorkerdOptions = {
  /** The Worker as one bundled JavaScript file. */
  readonly script: string;
  /** Variables and secrets. */
  readonly vars: Readonly<Record<string, string>>;
  /** The classes of its Durable Objects, by binding name. */
  readonly objects: Readonly<Record<string, string>>;
  /** A separate directory for its configuration and its objects' storage. */
  readonly directory: string;
};

/**
 * A Worker in the bare runtime. `wrangler dev` adds two proxies, which handle at most some 500 requests a second.
 */
export type Workerd = {
  readonly url: string;
  /** CPU time used so far, in ms. NaN if the system does not report it. */
  readonly cpuMs: () => number;
  readonly stop: () => Promise<void>;
};

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WORKERD = join(ROOT, 'node_modules/workerd/bin/workerd');

// Stops the Workers whenever this process ends.
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a Worker on a free loopback port. Resolves once it listens. */
export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const { directory } = options;
  mkdirSync(join(directory, 'storage'), { recursive: true });
  writeFileSync(join(directory, 'worker.js'), options.script);
  writeFileSync(join(directory, 'config.capnp'), configOf(options));
  const child = spawn(WORKERD, ['serve', 'config.capnp', '--control-fd=3'], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  running.add(child);
  const ended = once(child, 'exit');

  // `--control-fd` reports the port as one line of JSON once workerd listens.
  const ready = once(child.stdio[3] as Readable, 'data') as Promise<[Buffer]>;
  const [line] = await Promise.race([
    ready,
    ended.then(() => Promise.reject(new Error('workerd did not start'))),
  ]);
  const { port }: { port: number } = JSON.parse(line.toString());
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    running.delete(child);
  };
  return { url: `http://127.0.0.1:${port}`, cpuMs: () => cpuMsOf(child.pid), stop };
}

/** CPU time from Linux: utime plus stime, in hundredths of a second. See proc_pid_stat(5). */
function cpuMsOf(pid: number | undefined): number {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [user = Number.NaN, system = Number.NaN] = fields.split(' ').slice(11, 13).map(Number);
    return (user + system) * 10;
  } catch {
    return Number.NaN; // Not Linux.
  }
}

function configOf({ vars, objects }: WorkerdOptions): string {
  const quote = JSON.stringify;
  const bindings = [
    ...Object.entries(vars).map(([name, text]) => `(name = ${quote(name)}, text = ${quote(text)})`),
    ...Object.entries(objects).map(
      ([name, className]) => `(name = ${quote(name)}, durableObjectNamespace = ${quote(className)})`,
    ),
  ];
  const namespaces = Object.values(objects).map(
    (className) => `(className = ${quote(className)}, uniqueKey = ${quote(className)}, enableSql = true)`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = ${quote(compatibilityDate())},
      bindings = [${bindings.join(', ')}],
      durableObjectNamespaces = [${namespaces.join(', ')}],
      durableObjectStorage = (localDisk = "storage"),
    )),
    (name = "storage", disk = (path = "storage", writable = true)),
    # Loopback and nothing else.
    (name = "internet", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
}

/** The date that the relay is deployed with. */
function compatibilityDate(): string {
  const config = readFileSync(join(ROOT, 'wrangler.jsonc'), 'utf8');
  const date = /"compatibility_date":\s*"([\d-]+)"/.exec(config)?.[1];
  if (date === undefined) throw new Error('wrangler.jsonc names no compatibility_date');
  return date;
}
