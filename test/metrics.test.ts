import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DELIVERY_BOUNDS_MS, REFUSED_BATCHES } from '../src/edge/telemetry/observations.ts';
import { dashboardPanels } from './fakes/metrics/dashboard.ts';
import { readExposition } from './fakes/metrics/exposition.ts';
import { hasPrometheus, promtool } from './promtool.ts';
import { anchorOf } from './samples/markdown.ts';
import { sample } from './samples/samples.ts';
import { tableUnder } from './tables.ts';

const GUIDE = readFileSync('docs/guides/metrics.md', 'utf8');
const RULES = readFileSync('ops/prometheus/rules.yml', 'utf8');
// What the relay reports when it is busy: test/edge/operator/metric-families.test.ts keeps it so.
const OPEN_METRICS = readFileSync('test/edge/fixtures/metrics.openmetrics.txt', 'utf8');
const PLAIN_TEXT = readFileSync('test/edge/fixtures/metrics.plain.txt', 'utf8');
const { samples, types, help } = readExposition(OPEN_METRICS);

type Dashboard = {
  readonly templating: { readonly list: readonly { readonly name: string }[] };
  readonly panels: readonly {
    readonly title: string;
    readonly datasource: object;
    readonly fieldConfig: { readonly defaults: { readonly unit: string } };
    readonly targets: readonly { readonly refId: string }[];
  }[];
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'webengage-relay-metrics-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Each selector of a query: the metric and the labels that it matches. */
function selectorsIn(query: string) {
  return [...query.matchAll(/(webengage_relay_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', inner = '']) => ({
    name,
    labels: [...inner.matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, label = '', text = '']) => ({ label, text })),
  }));
}

/** The labels that a query groups by. */
const groupedBy = (query: string) =>
  [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/, ?/));

const labelsOf = (name: string) =>
  new Set(samples.filter((each) => each.name === name).flatMap(({ labels }) => Object.keys(labels)));

/** What Prometheus adds to each series. */
const ADDED = ['job', 'instance'];

function expectAnswerable(query: string): void {
  for (const { name, labels } of selectorsIn(query)) {
    const known = labelsOf(name);
    expect(known.size + samples.filter((each) => each.name === name).length, name).toBeGreaterThan(0);
    for (const { label, text } of labels.filter(({ label }) => !ADDED.includes(label))) {
      expect([...known], `${label} of ${name}`).toContain(label);
      const values = samples.filter((each) => each.name === name).map((each) => each.labels[label]);
      if (label !== 'lane') for (const each of text.split('|')) expect(values, name).toContain(each);
    }
  }
}

describe('the guide', () => {
  test('has every metric with its type, labels and help text', () => {
    const documented = tableUnder(GUIDE, 'Every metric').map(([name, type, labels, help]) => [
      name,
      type,
      labels?.split(', ').filter((each) => each !== ''),
      help,
    ]);

    expect(documented).toEqual(
      [...types].map(([name, type]) => [
        `${name.replace('webengage_relay_', '')}${type === 'counter' ? '_total' : ''}`,
        type,
        [...labelsOf(`${name}${{ counter: '_total', histogram: '_count' }[type] ?? ''}`)],
        help.get(name),
      ]),
    );
  });

  test('has every reason of a refusal, and every alert', () => {
    for (const reason of REFUSED_BATCHES) expect(GUIDE).toContain(`\`${reason}\``);
    for (const [, alert = ''] of RULES.matchAll(/- alert: (\w+)/g))
      expect(GUIDE).toMatch(alert.endsWith('Slow') ? '…Slow' : `\`${alert}\``);
  });

  test('has the scrape configuration of the package', () => {
    expect(readFileSync('ops/prometheus/prometheus.yml', 'utf8')).toContain(
      sample('docs/guides/metrics.md#setting-up yaml').text,
    );
  });
});

// Those of Grafana's units that the dashboard uses, by their ids in its `valueFormats`.
const UNITS = ['short', 's', 'percentunit', 'bytes', 'cps', 'cpm'];

describe('the dashboard', () => {
  const queries = dashboardPanels().flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ title, expr })),
  );

  test.each(queries)('asks only for metrics and labels that exist: $title', ({ expr }) => {
    expect(selectorsIn(expr).length).toBeGreaterThan(0);
    expectAnswerable(expr);
    const known = new Set([...ADDED, ...selectorsIn(expr).flatMap(({ name }) => [...labelsOf(name)])]);
    for (const label of groupedBy(expr)) expect([...known]).toContain(label);
  });

  test('asks the data source that its user picks, in a unit that Grafana knows', () => {
    const dashboard: Dashboard = JSON.parse(readFileSync('ops/grafana/dashboard.json', 'utf8'));
    const picked = { type: 'prometheus', uid: `\${${dashboard.templating.list[0]?.name}}` };

    expect(dashboard.templating.list[0]).toMatchObject({ type: 'datasource', query: 'prometheus' });
    for (const { title, datasource, targets, fieldConfig } of dashboard.panels) {
      expect(datasource, title).toEqual(picked);
      expect(UNITS, title).toContain(fieldConfig.defaults.unit);
      expect(targets.length, title).toBeGreaterThan(0);
      for (const target of targets)
        expect(target, title).toMatchObject({ datasource: picked, expr: expect.stringMatching(/\S/) });
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    }
  });

  test('has panels that do not overlap, each with an id of its own', () => {
    const panels: readonly { id: number; gridPos: { x: number; y: number; w: number; h: number } }[] =
      JSON.parse(readFileSync('ops/grafana/dashboard.json', 'utf8')).panels;
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)}/${y + Math.floor(n / w)}`),
    );

    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  test.skipIf(!hasPrometheus)('asks in PromQL as Prometheus parses it', () => {
    const rules = queries.map(({ expr }, n) => ({ record: `query:${n}`, expr }));
    const file = join(folder, 'queries.yml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));

    expect(promtool(['check', 'rules', file])).toEqual({
      ok: true,
      said: expect.stringContaining(`${rules.length} rules found`),
    });
  });
});

describe('the rules', () => {
  test('ask only for metrics and labels that exist', () => {
    expect(selectorsIn(RULES).length).toBeGreaterThan(20);
    expectAnswerable(RULES.replaceAll(/job:webengage_relay_\w+/g, ''));
  });

  test('measure the second objective by a bound of the histogram', () => {
    for (const [, bound] of RULES.matchAll(/le="([^"]*)"/g))
      expect(DELIVERY_BOUNDS_MS).toContain(Number(bound) * 1_000);
  });

  test('link each alert to the section of a guide that says what to do', () => {
    const { homepage } = JSON.parse(readFileSync('package.json', 'utf8'));
    const repository = homepage.replace(/#.*$/, '/blob/main/');

    for (const alert of RULES.split('- alert: ').slice(1)) {
      const [, url = ''] = /runbook_url: (\S+)/.exec(alert) ?? [];
      expect(url.slice(0, repository.length), alert).toBe(repository);
      const [file = '', anchor = ''] = url.slice(repository.length).split('#');
      const headings = readFileSync(file, 'utf8').matchAll(/^#{2,} (.+)$/gm);
      expect([...headings].map(([, title = '']) => anchorOf(title))).toContain(anchor);
    }
  });

  test('have a case for each alert in which it fires, and a quiet hour in which none does', () => {
    const cases = readFileSync('ops/prometheus/rules-tests.yml', 'utf8');
    const [, quiet = ''] = /- name: a quiet hour(.*?)\n {2}- name/s.exec(cases) ?? [];

    for (const [, alert = ''] of RULES.matchAll(/- alert: (\w+)/g)) {
      expect(cases).toMatch(new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n +- exp_labels`));
      expect(quiet).toMatch(new RegExp(`alertname: ${alert}\\n +exp_alerts: \\[\\]`));
    }
  });

  test.skipIf(!hasPrometheus)(
    'pass their own tests, and Prometheus takes them and the configuration',
    {
      timeout: 180_000,
    },
    () => {
      expect(promtool(['test', 'rules', 'ops/prometheus/rules-tests.yml'])).toMatchObject({ ok: true });
      expect(promtool(['check', 'rules', 'ops/prometheus/rules.yml'])).toMatchObject({ ok: true });
      expect(promtool(['check', 'config', '--syntax-only', 'ops/prometheus/prometheus.yml'])).toMatchObject({
        ok: true,
      });
    },
  );
});

describe.skipIf(!hasPrometheus)('the text of a busy relay', () => {
  test('passes promtool without a warning in the older format', () => {
    expect(promtool(['check', 'metrics'], PLAIN_TEXT)).toEqual({ ok: true, said: '' });
  });

  test('is OpenMetrics as Prometheus parses it, with every series', () => {
    const file = join(folder, 'metrics.txt');
    // For a block, each sample needs a time.
    const timed = OPEN_METRICS.replaceAll(/^([^#\n].*)$/gm, '$1 1700000000');
    writeFileSync(file, timed);

    const { ok, said } = promtool([
      'tsdb',
      'create-blocks-from',
      'openmetrics',
      file,
      join(folder, 'blocks'),
    ]);

    expect(said).toMatch(new RegExp(`1ms +${samples.length} +${samples.length} `));
    expect(ok).toBe(true);
  });

  test('would not pass with an unknown escape or a missing end', () => {
    const file = join(folder, 'broken.txt');
    writeFileSync(file, OPEN_METRICS.replace('# EOF\n', ''));

    expect(promtool(['tsdb', 'create-blocks-from', 'openmetrics', file, join(folder, 'none')]).ok).toBe(
      false,
    );
    expect(promtool(['check', 'metrics'], 'calls{a="\\q"} 1\n').ok).toBe(false);
  });
});
