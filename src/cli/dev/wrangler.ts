import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Wrangler's program: the one a project in `dir` or above it has, else the one installed beside this package.
 * Undefined where there is neither.
 */
export function findWrangler(dir: string): string | undefined {
  for (const place of [join(dir, 'package.json'), import.meta.url]) {
    const require = createRequire(place);
    try {
      const manifest = require.resolve('wrangler/package.json');
      return join(dirname(manifest), require(manifest).bin.wrangler);
    } catch {
      // Not from there: the next place, or none.
    }
  }
  return undefined;
}
