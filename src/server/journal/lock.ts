import type { Holder, JournalDisk, Self } from './disk.ts';

// The name says whose lock it is, so that there is no moment at which a lock does not say it.
const NAME = /^(\d+)_(\d+)_([^_]*)_([^_]*)\.lock$/;

function nameOf({ pid, startedAt, boot, host }: Holder): string {
  return `${[pid, startedAt, boot, host].map((part) => encodeURIComponent(part).replaceAll('_', '%5F')).join('_')}.lock`;
}

function holderOf(name: string): Holder | undefined {
  const [, pid, startedAt, boot = '', host = ''] = NAME.exec(name) ?? [];
  if (pid === undefined) return undefined;
  return {
    pid: Number(pid),
    startedAt: Number(startedAt),
    boot: decodeURIComponent(boot),
    host: decodeURIComponent(host),
  };
}

/** False only if the process is known to be gone. Of another machine nothing is known. */
function mayBeRunning({ pid, startedAt, boot, host }: Holder, self: Self): boolean {
  if (host !== self.host) return true;
  if (boot !== self.boot) return false;
  return pid === self.pid ? startedAt === self.startedAt : self.isRunning(pid);
}

/**
 * Takes a journal's lock, and returns its name. Rejects if another process may hold it. If two processes try at the
 * same moment, both may be refused, and never both get it.
 */
export async function takeLock(disk: JournalDisk, self: Self): Promise<string> {
  const ours = nameOf(self);
  const refuse = (pid: number, host: string, name: string): never => {
    throw new Error(
      `process ${pid} on ${host} uses it: give each process a journal of its own, or remove ${name} if that process is gone`,
    );
  };
  if ((await disk.list()).includes(ours)) refuse(self.pid, self.host, ours);
  await (await disk.create(ours)).close();
  for (const name of await disk.list()) {
    const holder = holderOf(name);
    if (holder === undefined || name === ours) continue;
    if (!mayBeRunning(holder, self)) await disk.remove(name);
    else {
      await disk.remove(ours);
      refuse(holder.pid, holder.host, name);
    }
  }
  return ours;
}
