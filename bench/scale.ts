import { readFile, writeFile } from 'node:fs/promises';
import { fillPlaces } from './scale/document.ts';
import { backlogPlot } from './scale/plot.ts';
import { scaleTables } from './scale/tables.ts';

// Writes the figures of docs/reference/scale.md from the relay's own limits. `--check` writes nothing, and
// exits with 1 if they differ.

const DOCUMENT = 'docs/reference/scale.md';
const PLOT = 'docs/images/backlog.svg';

const tables = scaleTables();
const before = await readFile(DOCUMENT, 'utf8');
const made = { [DOCUMENT]: fillPlaces(before, tables), [PLOT]: backlogPlot() };

if (process.argv.includes('--check')) {
  for (const [file, text] of Object.entries(made)) {
    if ((await readFile(file, 'utf8').catch(() => '')) === text) continue;
    console.error(`${file} is not what the code makes: npm run bench:scale`);
    process.exitCode = 1;
  }
} else {
  for (const [name, text] of Object.entries(tables)) console.log(`### ${name}\n\n${text}\n`);
  for (const [file, text] of Object.entries(made)) await writeFile(file, text);
}
