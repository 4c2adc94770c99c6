import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killAll, processesOf } from './processes.ts';

// Browsers, X servers and relays outlive a test run that is interrupted, killed, or given up by its runner, and so do
// their folders. So a detached process cleans up, which Ctrl-C does not reach. It waits until its input ends, which
// happens however its parent ends. Then it ends the processes of the run and removes the run's folder.

const HERE = fileURLToPath(import.meta.url);

/** A run of tests with one temporary folder, also for the processes that it starts. */
export type Run = {
  /** Ends everything that was started on the folder, and removes it. */
  readonly end: () => Promise<void>;
};

/** From now on temporary files are in one new folder. Its name in a command line marks a process of this run. */
export function startRun(): Run {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'webengage-relay-faults-')));
  process.env.TMPDIR = folder;
  const cleaner = spawn(process.execPath, [HERE, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  return {
    end: async () => {
      const done = once(cleaner, 'exit');
      cleaner.stdin.end();
      await done;
    },
  };
}

async function cleanUp(folder: string): Promise<void> {
  const left = () => processesOf(folder).filter((pid) => pid !== process.pid);
  for (const pid of left()) {
    try {
      // Gently at first: an X server has a lock file to remove.
      process.kill(pid, 'SIGTERM');
    } catch {
      // It has gone by itself.
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  await killAll(left());
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

if (process.argv[1] === HERE) {
  const folder = process.argv[2];
  process.stdin.resume().once('close', () => folder !== undefined && cleanUp(folder));
}
