import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../journeys/free-port.ts';

export type Served = { readonly url: string; readonly stop: () => void };

const READY_WITHIN_MS = 60_000;

// The process groups that a run would leave behind if it is interrupted.
const running = new Set<number>();
process.once('exit', () => {
  for (const group of running) end(group);
});

function end(group: number): void {
  running.delete(group);
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // The whole group has already ended.
  }
}

/** Serves a project by its `npm start`; resolves once it answers. */
export async function serveProject(folder: string, env: NodeJS.ProcessEnv): Promise<Served> {
  const port = await freePort();
  // Servers take the port from the one or from the other.
  const server = spawn('npm', ['start', '--', '--port', String(port)], {
    cwd: folder,
    env: { ...env, PORT: String(port) },
    // A group of its own, so that it ends together with what npm starts.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = server;
  if (pid === undefined) throw new Error('npm could not be started');
  running.add(pid);
  let output = '';
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });

  const url = `http://localhost:${port}`;
  const giveUpAt = Date.now() + READY_WITHIN_MS;
  const exited = once(server, 'exit');
  while (!(await answers(url))) {
    await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 100))]);
    if (server.exitCode === null && Date.now() < giveUpAt) continue;
    end(pid);
    throw new Error(`npm start did not answer at ${url}:\n${output}`);
  }
  return { url, stop: () => end(pid) };
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false, // Not yet listening.
  );
