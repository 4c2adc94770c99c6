import type { JournalDisk, Self } from './disk.ts';

/**
 * Modules of Node, as Deno and Bun have them too. Not by `import`: bundlers for other platforms would look for them.
 * Throws on a platform without them.
 */
function builtIns() {
  const get = globalThis.process?.getBuiltinModule;
  if (get === undefined)
    throw new Error('this platform has no file system: a journal needs Node 20.16 or later, Deno or Bun');
  return { fs: get('node:fs/promises'), path: get('node:path'), os: get('node:os') };
}

// What people did is nobody else's to read.
const OF_OWNER = { folder: 0o700, file: 0o600 };

/** Opens a folder of Node's file system, and makes it if it is missing. Rejects with Node's own errors. */
export async function nodeDisk(folder: string): Promise<JournalDisk> {
  const { fs, path } = builtIns();
  const { mkdir, open, readdir, readFile, rm } = fs;
  const { dirname, join, resolve } = path;

  /** Puts the names in a folder on disk. Where folders can't be opened, as on Windows, the system does so by itself. */
  async function syncFolder(folder: string): Promise<void> {
    const handle = await open(folder, 'r').catch(() => undefined);
    await handle?.sync().catch(() => {});
    await handle?.close();
  }

  const root = resolve(folder);
  await mkdir(root, { recursive: true, mode: OF_OWNER.folder });
  await syncFolder(dirname(root));
  return {
    list: () => readdir(root),
    read: (name) => readFile(join(root, name), 'utf8'),
    create: async (name) => {
      const handle = await open(join(root, name), 'ax', OF_OWNER.file);
      await syncFolder(root);
      return {
        append: (text) => handle.appendFile(text),
        sync: () => handle.datasync(),
        truncate: (bytes) => handle.truncate(bytes),
        close: () => handle.close(),
      };
    },
    remove: (name) => rm(join(root, name), { force: true }),
  };
}

/** This process. */
export async function nodeSelf(): Promise<Self> {
  const { fs, os } = builtIns();
  // Linux has a new one after each start. Elsewhere the process's own number and time must do.
  const boot = await fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return {
    pid: process.pid,
    startedAt: Math.floor(performance.timeOrigin),
    boot: boot.trim(),
    host: os.hostname(),
    isRunning: (pid) => {
      try {
        return process.kill(pid, 0);
      } catch (error) {
        // It runs, as another user.
        return (error as NodeJS.ErrnoException).code === 'EPERM';
      }
    },
  };
}
