import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startWorker } from '../src/cli/dev/local-worker.ts';

// Measures `webengage-relay import` as users run it: checking a file, and sending one through a relay into the sandbox.

const ROWS = 1_000_000;

// The relay stores what leaves in five minutes, 62,500 rows, and paces the rest. SENT_ROWS=200000 takes a quarter of an
// hour. With a larger allowance, relay and sandbox need a machine of their own.
const REQUESTS_PER_MINUTE = Number(process.env.REQUESTS_PER_MINUTE ?? 500);
const SENT_ROWS = Number(process.env.SENT_ROWS ?? 75_000);

const RECORDS_PER_CALL = 25;
const MINUTE_MS = 60_000;

// The relay learns its allowance with the first calls, and the last ones are not a backlog.
const UNSTEADY_MS = 15_000;

const [RELAY_PORT, SANDBOX_PORT] = [9_787, 9_788];
const SERVER_TOKEN = 'a-server-token-for-the-bench-of-imports';

const CITIES = ['Ulm', 'Porto', 'São Paulo', 'Pune', 'Riyadh'];

/** Users with ten columns, in pieces of some thousand rows. */
function* users(rows: number): Generator<string> {
  yield 'User ID,E-mail,First name,Last name,Phone,Birth date,Email opt-in,City,Orders,Last order\n';
  let piece = '';
  for (let row = 1; row <= rows; row++) {
    const [month, day] = [1 + (row % 12), 1 + (row % 28)].map((part) => String(part).padStart(2, '0'));
    piece += `user-${row},user-${row}@example.com,Ann-${row % 900},"Smith, ${row % 700}",+49151${1_000_000 + row},`;
    piece += `19${60 + (row % 40)}-${month}-${day},${row % 3 === 0},${CITIES[row % CITIES.length]},${row % 50},`;
    piece += `2026-${month}-${day}T10:${day}:00+0100\n`;
    if (row % 5_000 > 0 && row < rows) continue;
    yield piece;
    piece = '';
  }
}

// The process prints its peak memory and its processor time when it ends. On Linux, `maxRSS` would be that of this process,
// from which it was forked, if that is more.
const TELL = `data:text/javascript,
  import { existsSync, readFileSync } from 'node:fs';
  const STATUS = '/proc/self/status';
  process.on('exit', () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    const peak = existsSync(STATUS) ? /VmHWM:\\s+(\\d+)/.exec(readFileSync(STATUS, 'utf8'))[1] : maxRSS;
    const seconds = (userCPUTime + systemCPUTime) / 1_000_000;
    console.error(JSON.stringify({ processorSeconds: seconds, mebibytes: Math.round(peak / 1024) }));
  })`;

type Ran = {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly mebibytes: number;
  readonly said: string;
};

/** Runs the command as users do. */
async function run(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const started = performance.now();
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', TELL, 'dist/bin.js', 'import', path, '--kind', 'users', '--json', ...args],
    { env: { ...process.env, ...env } },
  );
  const seconds = (performance.now() - started) / 1000;
  return { seconds, said: stdout, ...JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '') };
}

/** Checks the file, in both passes. */
async function checking(path: string): Promise<void> {
  const { seconds, processorSeconds, mebibytes, said } = await run(path, ['--dry-run']);
  const { rows, good } = JSON.parse(said);
  if (rows !== ROWS || good !== ROWS) throw new Error(`${good} of ${rows} rows are good`);
  console.log(
    `checking: ${Math.round(rows / seconds)} rows a second, ` +
      `${Math.round(rows / processorSeconds)} a second of processor time, ${mebibytes} MiB`,
  );
}

type Call = { readonly at: number; readonly status: number; readonly records: number };

/** Sends the file, and looks at the calls that arrive at WebEngage. */
async function sending(path: string, storage: string): Promise<void> {
  const sandbox = await startWorker({
    config: 'src/sandbox/wrangler.jsonc',
    port: SANDBOX_PORT,
    vars: { REQUESTS_PER_MINUTE: String(REQUESTS_PER_MINUTE) },
    persistTo: join(storage, 'sandbox'),
  });
  const relay = await startWorker({
    config: 'wrangler.jsonc',
    port: RELAY_PORT,
    vars: {
      WEBENGAGE_HOST: sandbox.url,
      WEBENGAGE_API_KEY: 'sandbox-key',
      WEBENGAGE_LICENSE_CODE: '~sandbox',
      ALLOWED_ORIGINS: 'https://shop.example.com',
      REQUESTS_PER_MINUTE: String(REQUESTS_PER_MINUTE),
      SERVER_TOKEN,
    },
    persistTo: join(storage, 'relay'),
  });
  const { seconds, mebibytes, said } = await run(path, ['--relay', relay.url], { SERVER_TOKEN });
  const report = JSON.parse(said.trimEnd().split('\n').at(-1) ?? '');
  if (report.sent !== SENT_ROWS) throw new Error(`${report.sent} of ${SENT_ROWS} rows are sent`);
  const users = async (): Promise<number> => (await (await fetch(`${sandbox.url}/counts`)).json()).users;
  while ((await users()) < SENT_ROWS) await setTimeout(500);
  const calls: Call[] = await (await fetch(`${sandbox.url}/calls`)).json();
  await Promise.all([relay.stop(), sandbox.stop()]);

  const from = (calls[0]?.at ?? 0) + UNSTEADY_MS;
  const to = (calls.at(-1)?.at ?? 0) - UNSTEADY_MS;
  const steady = calls.filter(({ at }) => at >= from && at < to);
  const records = steady.reduce((sum, call) => sum + call.records, 0);
  const allowed = ((to - from) / MINUTE_MS) * REQUESTS_PER_MINUTE * RECORDS_PER_CALL;
  console.log(`sending: ${SENT_ROWS} rows in ${Math.round(seconds)} s, ${mebibytes} MiB`);
  console.log(`of the allowance, in records: ${((records / allowed) * 100).toFixed(1)} %`);
  console.log(`calls refused: ${calls.filter(({ status }) => status >= 300).length}`);
}

const folder = await mkdtemp(join(tmpdir(), 'webengage-relay-bench-'));
try {
  const [many, some] = [join(folder, 'many.csv'), join(folder, 'some.csv')];
  await pipeline(Readable.from(users(ROWS)), createWriteStream(many));
  await checking(many);
  await pipeline(Readable.from(users(SENT_ROWS)), createWriteStream(some));
  await sending(some, folder);
} finally {
  await rm(folder, { recursive: true, maxRetries: 5 });
}
