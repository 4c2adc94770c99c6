import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';

/** The answer to a query: each series with its labels, and its values with their times in seconds. */
type Series = {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [at: number, value: string])[];
};

type Rule = { readonly name: string; readonly health: string; readonly state?: string };

type PrometheusOptions = {
  readonly scrapeSeconds: number;
  /** Changes the text of rules.yml, so that a test need not wait for minutes. */
  readonly changeRules?: (text: string) => string;
};

/** A real Prometheus that scrapes a relay, with the configuration and the rules of the package. */
export type Prometheus = {
  /** The series of a query now. Throws if Prometheus refuses it. */
  readonly query: (expr: string) => Promise<readonly Series[]>;
  readonly queryRange: (expr: string, from: number, to: number, stepS: number) => Promise<readonly Series[]>;
  /** Each rule, whether it could be evaluated, and the state of an alert: `inactive`, `pending` or `firing`. */
  readonly rules: () => Promise<readonly Rule[]>;
  /** What its last scrape came to: `up`, or `down` and why. */
  readonly target: () => Promise<{ readonly health: string; readonly lastError: string }>;
  readonly stop: () => Promise<void>;
};

const READY_WITHIN_MS = 30_000;

export async function startPrometheus(
  relayUrl: string,
  token: string,
  { scrapeSeconds, changeRules = (text) => text }: PrometheusOptions,
): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'webengage-relay-prometheus-'));
  const ours = readFileSync('ops/prometheus/prometheus.yml', 'utf8');
  const config = ours
    .replace('scheme: https', 'scheme: http')
    .replace(
      'scrape_interval: 15s',
      `scrape_interval: ${scrapeSeconds}s\n    scrape_timeout: ${scrapeSeconds}s`,
    )
    .replace('t.example.com', new URL(relayUrl).host);
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global:\n  evaluation_interval: ${scrapeSeconds}s\n${config}`,
  );
  writeFileSync(join(folder, 'metrics-token'), token);
  writeFileSync(join(folder, 'rules.yml'), changeRules(readFileSync('ops/prometheus/rules.yml', 'utf8')));

  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      '--config.file=prometheus.yml',
      '--storage.tsdb.path=data',
      `--web.listen-address=${address}`,
      '--log.level=error',
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const stop = async () => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const ask = async (path: string, params: Readonly<Record<string, string>> = {}) => {
    const answer = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(params)}`);
    const { status, data, error } = await answer.json();
    if (status !== 'success') throw new Error(`${params.query}: ${error}`);
    return data;
  };
  const series = ({ result }: { result: readonly (Series & { value?: Series['values'][0] })[] }) =>
    result.map(({ metric, value, values }) => ({ metric, values: value ? [value] : values }));
  try {
    await ready(`http://${address}/-/ready`, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    query: async (query) => series(await ask('query', { query })),
    queryRange: async (query, from, to, stepS) =>
      series(await ask('query_range', { query, start: `${from}`, end: `${to}`, step: `${stepS}` })),
    rules: async () => (await ask('rules')).groups.flatMap(({ rules }: { rules: object }) => rules),
    target: async () => (await ask('targets')).activeTargets[0],
    stop,
  };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (const until = Date.now() + READY_WITHIN_MS; Date.now() < until; ) {
    const isReady = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isReady) return;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('Prometheus did not start');
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
