import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findWrangler } from './wrangler.ts';

export type LocalWorkerOptions = {
  /** Its configuration, as Wrangler reads it: from the folder the process runs in. */
  readonly config: string;
  /** Another entry file than its `main`, from there too. */
  readonly entry?: string;
  readonly port: number;
  /** Over what configuration and `.dev.vars` say. */
  readonly vars: Readonly<Record<string, string>>;
  /** Where its objects' storage lies. What stands there outlives the process. */
  readonly persistTo: string;
  /** Aborted before it answers, the Worker ends, and the start has failed. */
  readonly signal?: AbortSignal;
  /** Told what it prints once it answers: errors alone. */
  readonly onOutput?: (text: string) => void;
};

/** A Worker in the real runtime on this machine, as `wrangler dev` runs it. */
export type LocalWorker = {
  readonly url: string;
  /** Resolves once it has ended, by `stop` or by itself: to what it printed last. */
  readonly ended: Promise<string>;
  /** Ends it and all it has started. `SIGKILL`: as a machine that goes dark. */
  readonly stop: (signal?: 'SIGTERM' | 'SIGKILL') => Promise<void>;
};

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 5_000;

const ON_WINDOWS = process.platform === 'win32';

// What a process of ours that dies by an error would leave behind.
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) signalTree(child, 'SIGKILL');
});

/** Starts Wrangler. It may take a while to answer. */
function spawnWrangler({ config, entry, port, vars, persistTo }: LocalWorkerOptions) {
  const wrangler = findWrangler(process.cwd());
  if (wrangler === undefined) throw new Error('Wrangler is not installed');
  mkdirSync(persistTo, { recursive: true });
  return spawn(
    process.execPath,
    [
      wrangler,
      'dev',
      ...(entry === undefined ? [] : [entry]),
      ...['--config', config, '--ip', '127.0.0.1', '--port', String(port), '--persist-to', persistTo],
      ...['--inspector-port', '0', '--show-interactive-dev-session=false', '--log-level', 'error'],
      // Otherwise it takes a route of its configuration for its own address.
      ...['--local-upstream', `127.0.0.1:${port}`],
      ...Object.entries(vars).flatMap(([name, value]) => ['--var', `${name}:${value}`]),
    ],
    {
      // A group of its own, so that the runtime it starts can be ended with it. Windows has none, and would open a window.
      detached: !ON_WINDOWS,
      // It reports to its parent, if it can, when it listens.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env,
        WRANGLER_SEND_METRICS: 'false',
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        // Its own files lie in its storage too, so nothing stays behind however suddenly it ends.
        TMPDIR: persistTo,
        TEMP: persistTo,
        TMP: persistTo,
        WRANGLER_LOG_PATH: join(persistTo, 'logs'),
        WRANGLER_REGISTRY_PATH: join(persistTo, 'registry'),
      },
    },
  );
}

/** Starts a Worker; resolves once it answers. Rejects if something else listens on its port. */
export async function startWorker(options: LocalWorkerOptions): Promise<LocalWorker> {
  const { config, port, signal, onOutput } = options;
  const url = `http://127.0.0.1:${port}`;
  const child = spawnWrangler(options);
  running.add(child);
  let output = '';
  let isReady = false;
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      const text = chunk.toString();
      output = (output + text).slice(-10_000);
      if (isReady) onOutput?.(text);
    });
  // Another process that took the port meanwhile would answer too.
  let isListening = false;
  child.on('message', (message) => {
    isListening ||= String(message).includes('DEV_SERVER_READY');
  });
  const ended = once(child, 'close').then(() => output);

  const hasExited = () => child.exitCode !== null || child.signalCode !== null;
  const stop: LocalWorker['stop'] = async (signal = 'SIGTERM') => {
    running.delete(child);
    if (hasExited()) return signalTree(child, 'SIGKILL');
    const exited = once(child, 'exit');
    signalTree(child, signal);
    const impatience = setTimeout(() => signalTree(child, 'SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(impatience);
    signalTree(child, 'SIGKILL');
  };

  const giveUpAt = Date.now() + READY_WITHIN_MS;
  while (!(isListening && (await answers(url)))) {
    if (hasExited() || signal?.aborted || Date.now() > giveUpAt) {
      await stop('SIGKILL');
      throw new Error(`${config} did not start on port ${port}:\n${output}`);
    }
    await wait(100);
  }
  isReady = true;
  return { url, ended, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) })).text();
    return true;
  } catch {
    return false; // Not yet listening.
  }
}

function signalTree({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  if (ON_WINDOWS) {
    // There is no signal to ask with, and no group: its own tool knows who was started by whom.
    spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group has already ended.
  }
}
