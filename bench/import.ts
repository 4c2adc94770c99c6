import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

// Importing a file, with the command as users run it.

const ROWS = 1_000_000;

const CITIES = ['Ulm', 'Porto', 'São Paulo', 'Pune', 'Riyadh'];

/** Users with ten columns, in pieces of some thousand rows. */
function* users(): Generator<string> {
  yield 'User ID,E-mail,First name,Last name,Phone,Birth date,Email opt-in,City,Orders,Last order\n';
  let piece = '';
  for (let row = 1; row <= ROWS; row++) {
    const [month, day] = [1 + (row % 12), 1 + (row % 28)].map((part) => String(part).padStart(2, '0'));
    piece += `user-${row},user-${row}@example.com,Ann-${row % 900},"Smith, ${row % 700}",+49151${1_000_000 + row},`;
    piece += `19${60 + (row % 40)}-${month}-${day},${row % 3 === 0},${CITIES[row % CITIES.length]},${row % 50},`;
    piece += `2026-${month}-${day}T10:${day}:00+0100\n`;
    if (row % 5_000 > 0 && row < ROWS) continue;
    yield piece;
    piece = '';
  }
}

// Printed by the process itself at its end: the largest share of memory it has had, in kilobytes.
const TELL_MEMORY = 'data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS))';

/** Checks the file, in both passes. */
async function checking(path: string): Promise<void> {
  const started = performance.now();
  const args = ['--import', TELL_MEMORY, 'dist/bin.js', 'import', path, '--kind', 'users', '--dry-run', '--json'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  const seconds = (performance.now() - started) / 1000;
  const { rows, good } = JSON.parse(stdout);
  if (rows !== ROWS || good !== ROWS) throw new Error(`${good} of ${rows} rows are good`);
  console.log(`checking: ${Math.round(rows / seconds)} rows a second, ${Math.round(Number(stderr) / 1024)} MiB`);
}

const folder = await mkdtemp(join(tmpdir(), 'webengage-relay-bench-'));
try {
  const path = join(folder, 'users.csv');
  await pipeline(Readable.from(users()), createWriteStream(path));
  await checking(path);
} finally {
  await rm(folder, { recursive: true });
}
