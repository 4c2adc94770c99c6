import { spawn } from 'node:child_process';
import { once } from 'node:events';

export type RunOptions = {
  readonly cwd: string;
  /** What it reads in place of the terminal: a secret, which must not stand in its arguments. */
  readonly input?: string;
  /** Only its exit code is wanted. */
  readonly quiet?: boolean;
};

/** The exit code of what Ctrl-C ended, as shells have it. */
export const INTERRUPTED = 130;

/**
 * Runs a program and resolves to its exit code, `INTERRUPTED` after Ctrl-C. Never rejects: one that can't be started has
 * failed.
 */
export type Run = (command: readonly [string, ...string[]], options: RunOptions) => Promise<number>;

export const run: Run = async ([program, ...args], { cwd, input, quiet = false }) => {
  const shown = quiet ? 'ignore' : 'inherit';
  const child = spawn(program, args, {
    cwd,
    // What the key was given to us by is not for the scripts of whatever `npm` installs.
    env: { ...process.env, WEBENGAGE_API_KEY: undefined },
    stdio: [input === undefined ? shown : 'pipe', shown, shown],
    // There `npm` and `npx` are batch files, which only a shell can start. No argument of ours is anybody's input.
    shell: process.platform === 'win32',
  });
  // A terminal sends Ctrl-C to both. The program ends, but this process must stay to say what is left to do.
  let isInterrupted = false;
  const interrupt = () => {
    isInterrupted = true;
  };
  process.on('SIGINT', interrupt);
  // It may end before it has read all; its exit code says so.
  child.stdin?.on('error', () => undefined).end(input);
  const exitCode = await once(child, 'close').then(
    ([code]: (number | null)[]) => code ?? 1,
    () => 1,
  );
  process.off('SIGINT', interrupt);
  return isInterrupted ? INTERRUPTED : exitCode;
};
