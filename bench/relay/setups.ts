import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { type Client, clientOf, crowd, ORIGIN } from '../visitors.ts';
import { ageOutboxes } from './aged-outbox.ts';
import { mustBeTaken } from './answers.ts';
import { startWorkerd, type Workerd } from './workerd.ts';

// For each of the eight days before today that an outbox remembers.
const PAGE_LOADS = 50_000;

export const ADMIN_TOKEN = 'a-token-for-the-operator-of-a-bench';
export const METRICS_TOKEN = 'a-token-for-the-metrics-of-a-bench';

const scratch = mkdtempSync(join(tmpdir(), 'webengage-relay-bench-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** What is measured: the relay in three ways, and a Worker that only passes requests on. */
export type Setup = 'relay' | 'passThrough' | 'verified' | 'scraped';

const bundle = bundleOfRelay();
const scripts: Readonly<Record<Setup, string>> = {
  relay: bundle,
  verified: bundle,
  scraped: bundle,
  passThrough: readFileSync('bench/relay/pass-through.js', 'utf8'),
};

// The most expensive case: an RSA signature for each batch. The relay caches no verification between batches.
const { publicKey, privateKey } = await generateKeyPair('RS256');
const userId = 'a-user-of-a-bench';
const IDENTITY_KEY = await exportSPKI(publicKey);
const token = await new SignJWT({ cuid: userId })
  .setProtectedHeader({ alg: 'RS256' })
  .setExpirationTime('1 hour')
  .sign(privateKey);

/** The relay's bundle, as deployed. */
function bundleOfRelay(): string {
  const outdir = join(scratch, 'bundle');
  const wrangler = ['node_modules/wrangler/bin/wrangler.js', 'deploy', '--dry-run', '--outdir', outdir];
  execFileSync(process.execPath, wrangler, { env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } });
  return readFileSync(join(outdir, 'worker.js'), 'utf8');
}

/** Starts WebEngage with this latency, in a thread of its own. Returns its address. */
export async function startUpstream(latencyMs: number): Promise<string> {
  const thread = new Worker(new URL('./upstream.ts', import.meta.url), { workerData: { latencyMs } });
  const [port] = await once(thread, 'message');
  thread.unref();
  return `http://127.0.0.1:${port}`;
}

let started = 0;

/**
 * Starts a Worker with its own account. On the first day the relay's storage is new, on the ninth it holds
 * the dedup tables of eight days.
 */
export async function start(
  setup: Setup,
  upstream: string,
  day: 'first' | 'ninth',
): Promise<Workerd & { account: string; client: Client }> {
  started += 1;
  const account = `bench-${started}`;
  const options = {
    script: scripts[setup],
    vars: {
      WEBENGAGE_HOST: upstream,
      WEBENGAGE_LICENSE_CODE: account,
      WEBENGAGE_API_KEY: 'bench-key',
      ALLOWED_ORIGINS: ORIGIN,
      ADMIN_TOKEN,
      ...(setup === 'scraped' && { METRICS_TOKEN }),
      ...(setup === 'verified' && { IDENTITY: 'required', IDENTITY_KEY }),
    },
    objects: setup === 'passThrough' ? {} : { OUTBOX: 'Outbox', RATE_GATE: 'RateGate' },
    directory: join(scratch, account),
  };
  const clientAt = (url: string) => (setup === 'verified' ? clientOf(url, { userId, token }) : clientOf(url));
  let workerd = await startWorkerd(options);
  if (setup !== 'passThrough' && day === 'ninth') {
    mustBeTaken(await crowd(clientAt(workerd.url), { records: 1, atOnce: 1, forMs: 1 }));
    await workerd.stop();
    ageOutboxes(options.directory, PAGE_LOADS);
    workerd = await startWorkerd(options);
  }
  return { ...workerd, account, client: clientAt(workerd.url) };
}

/** Starts the relay and the pass-through. */
export async function startBoth(upstream: string, day: 'first' | 'ninth') {
  const [relay, passThrough] = await Promise.all([
    start('relay', upstream, day),
    start('passThrough', upstream, day),
  ]);
  return { relay, passThrough, stop: () => Promise.all([relay.stop(), passThrough.stop()]) };
}
