import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What the compiler says of these modules, at its strictest: nothing, where they compile. They import the tracker's types
 * from `tracker`.
 */
export function complaintsAbout(modules: Readonly<Record<string, string>>): string {
  // Within the repository, so that the tracker's own imports are found.
  mkdirSync('dist', { recursive: true });
  const folder = mkdtempSync('dist/compiled-');
  try {
    const compilerOptions = {
      target: 'ES2022',
      module: 'ESNext',
      moduleResolution: 'Bundler',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
      types: [],
      paths: { tracker: ['../../src/tracker/index.ts'] },
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    for (const [name, text] of Object.entries(modules)) writeFileSync(join(folder, `${name}.ts`), text);
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['node_modules/typescript/bin/tsc', '-p', folder],
      {
        encoding: 'utf8',
      },
    );
    return stdout + stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
