import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes a folder that is gone with this process, however that ends but by SIGKILL. */
export function makeScratch(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  // Behind the end of local Workers, which may still write: that is set up as their module is loaded.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
