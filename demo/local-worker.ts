import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type LocalWorkerOptions = {
  /** Its wrangler.jsonc, from the root of the repository. */
  readonly config: string;
  /** Another entry file than its `main`, from there too. */
  readonly entry?: string;
  readonly port: number;
  readonly vars: Readonly<Record<string, string>>;
  /** Where its objects' storage lies. What stands there outlives the process. */
  readonly persistTo: string;
};

/** A Worker in the real runtime on this machine, as `wrangler dev` runs it. */
export type LocalWorker = {
  readonly url: string;
  /** Ends it and all it has started. `SIGKILL`: as a machine that goes dark. */
  readonly stop: (signal?: 'SIGTERM' | 'SIGKILL') => Promise<void>;
};

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 5_000;

// What a process of ours that dies by an error would leave behind.
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) signalTree(child, 'SIGKILL');
});

/** Starts a Worker; resolves once it answers. */
export async function startWorker({
  config,
  entry,
  port,
  vars,
  persistTo,
}: LocalWorkerOptions): Promise<LocalWorker> {
  const url = `http://127.0.0.1:${port}`;
  mkdirSync(persistTo, { recursive: true });
  const child = spawn(
    process.execPath,
    [
      'node_modules/wrangler/bin/wrangler.js',
      'dev',
      ...(entry === undefined ? [] : [entry]),
      ...['--config', config, '--ip', '127.0.0.1', '--port', String(port), '--persist-to', persistTo],
      ...['--inspector-port', '0', '--show-interactive-dev-session=false', '--log-level', 'error'],
      ...Object.entries(vars).flatMap(([name, value]) => ['--var', `${name}:${value}`]),
    ],
    {
      cwd: ROOT,
      // A group of its own, so that the runtime it starts can be ended with it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        WRANGLER_SEND_METRICS: 'false',
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        // What it writes for itself goes with its storage, be it ended ever so suddenly.
        TMPDIR: persistTo,
      },
    },
  );
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-10_000);
    });

  const stop: LocalWorker['stop'] = async (signal = 'SIGTERM') => {
    running.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return signalTree(child, 'SIGKILL');
    const exited = once(child, 'exit');
    signalTree(child, signal);
    const impatience = setTimeout(() => signalTree(child, 'SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(impatience);
    signalTree(child, 'SIGKILL');
  };

  const giveUpAt = Date.now() + READY_WITHIN_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || Date.now() > giveUpAt) {
      await stop('SIGKILL');
      throw new Error(`${config} did not start on port ${port}:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { url, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) })).text();
    return true;
  } catch {
    return false; // Not yet listening.
  }
}

function signalTree(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // The whole group has already ended.
  }
}
