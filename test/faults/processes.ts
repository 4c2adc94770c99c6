import { execFileSync } from 'node:child_process';
import { until } from './until.ts';

type Process = { readonly pid: number; readonly parent: number; readonly args: string };

/** The living processes of this machine. */
function living(): readonly Process[] {
  const lines = execFileSync('ps', ['-ww', '-e', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
  return lines.split('\n').flatMap((line) => {
    const [, pid, parent, state, args = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    // A zombie holds nothing any more.
    return pid === undefined || state?.startsWith('Z')
      ? []
      : [{ pid: Number(pid), parent: Number(parent), args }];
  });
}

/** The processes whose command line holds a text, and all under them. */
export function processesOf(mark: string): readonly number[] {
  const all = living();
  const childrenOf = (parent: number) => all.filter((process) => process.parent === parent);
  const descendants = (pid: number): readonly Process[] =>
    childrenOf(pid).flatMap((child) => [child, ...descendants(child.pid)]);
  const roots = all.filter(({ args }) => args.includes(mark));
  return [...new Set(roots.flatMap(({ pid }) => [pid, ...descendants(pid).map((child) => child.pid)]))];
}

/** Kills processes in one moment, as the system does when memory runs out; resolves when they are gone. */
export async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has gone with another one.
    }
  }
  await until('the killed processes are gone', () => {
    const left = new Set(living().map(({ pid }) => pid));
    return !pids.some((pid) => left.has(pid));
  });
}
