import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OTHER_CONFIGS, type ProjectFile, RELAY_FILES } from './project.ts';

/** Why the folder can't be the relay's: in words; undefined where it can. Looks, and writes nothing. */
export function folderFault(dir: string, force: boolean): string | undefined {
  const isThere = (path: string) => existsSync(join(dir, path));
  const others = OTHER_CONFIGS.filter(isThere);
  if (others.length > 0)
    return `${join(dir, others[0] ?? '')} belongs to another Worker: choose a folder of its own for the relay`;
  const ours = force ? [] : RELAY_FILES.filter(isThere);
  if (ours.length > 0)
    return `${ours.map((path) => join(dir, path)).join(' and ')} would be overwritten: use --force to do so, or run npx wrangler secret put WEBENGAGE_API_KEY there to set only the key`;
  return undefined;
}

/** Writes the files; resolves to the paths of those it has written. What is there stays as it is, but where `force` is set. */
export async function writeFiles(
  dir: string,
  files: readonly ProjectFile[],
  force: boolean,
): Promise<readonly string[]> {
  const written: string[] = [];
  for (const { path, text } of files) {
    const target = join(dir, path);
    await mkdir(dirname(target), { recursive: true });
    try {
      // By the file system's own word: between looking and writing there would be time for another.
      await writeFile(target, text, { flag: force ? 'w' : 'wx' });
      written.push(target);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
  return written;
}
