import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import type { Sample } from './markdown.ts';
import { sample } from './samples.ts';

// What documents tell to put into wrangler.jsonc, in the relay's own, as Wrangler itself reads it.

let folder: string;
let warnings: unknown[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webengage-relay-config-'));
  warnings = [];
  vi.spyOn(console, 'warn').mockImplementation((...warning) => void warnings.push(...warning));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function configWith(text: string) {
  const config = join(folder, 'wrangler.jsonc');
  writeFileSync(config, readFileSync('wrangler.jsonc', 'utf8').replace('{', `{ ${text.trimEnd()},`));
  return unstable_readConfig({ config });
}

const read = ({ text }: Sample) => configWith(text);

test('a custom domain', () => {
  expect(read(sample('docs/guides/deploying.md#a-domain-of-your-own jsonc'))).toMatchObject({
    workers_dev: false,
    routes: [{ pattern: 't.example.com', custom_domain: true }],
  });
  expect(warnings).toEqual([]);
});

test('figures for Workers Analytics Engine', () => {
  expect(read(sample('docs/guides/operating.md#in-the-log jsonc'))).toMatchObject({
    analytics_engine_datasets: [{ binding: 'ANALYTICS', dataset: 'webengage_relay' }],
  });
  expect(warnings).toEqual([]);
});

test('the log for a service that takes OTLP', () => {
  const { text } = sample('docs/guides/metrics.md#logs-and-traces-elsewhere jsonc');
  const config = join(folder, 'wrangler.jsonc');
  // The relay's own settings of the same name are replaced.
  const own = readFileSync('wrangler.jsonc', 'utf8').replace(/ {2}"observability": .*\n/, text);
  writeFileSync(config, own);

  expect(unstable_readConfig({ config })).toMatchObject({
    observability: {
      logs: { invocation_logs: false, destinations: ['relay-logs'] },
      traces: { enabled: false },
    },
  });
  expect(warnings).toEqual([]);
});

test('an entry that Wrangler does not know would be reported', () => {
  configWith('"workers_develop": false');

  expect(warnings.join()).toContain('workers_develop');
  expect(() => configWith('"routes": [{ "patern": "t.example.com" }]')).toThrow('routes');
});
