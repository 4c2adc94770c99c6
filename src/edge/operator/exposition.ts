import { amountsIn, type Histogram } from '../telemetry/histogram.ts';

export type Labels = Readonly<Record<string, string>>;

type Described = {
  /** Without the suffix `_total`. With its unit at the end, if it has one. */
  readonly name: string;
  readonly help: string;
  readonly unit?: 'seconds' | 'bytes' | 'ratio';
};

/** A metric with all its series. */
export type Family = Described &
  (
    | {
        readonly type: 'counter' | 'gauge';
        readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
      }
    | {
        readonly type: 'histogram';
        readonly bounds: readonly number[];
        readonly samples: readonly { readonly labels: Labels; readonly histogram: Histogram }[];
      }
  );

/** The two text formats that Prometheus reads. */
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
export const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md */
export function openMetrics(families: readonly Family[]): string {
  const lines = families.flatMap((family) => [
    `# TYPE ${family.name} ${family.type}`,
    ...(family.unit === undefined ? [] : [`# UNIT ${family.name} ${family.unit}`]),
    `# HELP ${family.name} ${escaped(family.help)}`,
    ...samplesOf(family),
  ]);
  return [...lines, '# EOF', ''].join('\n');
}

/**
 * The older format, which curl gets and `promtool check metrics` reads. There a counter's metadata has its suffix.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function plainText(families: readonly Family[]): string {
  const lines = families.flatMap((family) => {
    const name = family.type === 'counter' ? `${family.name}_total` : family.name;
    // Only here a quotation mark in a help text stays as it is.
    const help = escaped(family.help).replaceAll('\\"', '"');
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${family.type}`, ...samplesOf(family)];
  });
  return [...lines, ''].join('\n');
}

function samplesOf(family: Family): string[] {
  if (family.type !== 'histogram') {
    const name = family.type === 'counter' ? `${family.name}_total` : family.name;
    return family.samples.map(({ labels, value }) => line(name, labels, value));
  }
  const { name, bounds } = family;
  return family.samples.flatMap(({ labels, histogram }) => {
    let upTo = 0;
    const buckets = bounds.map((bound, index) => {
      upTo += histogram.counts[index] ?? 0;
      return line(`${name}_bucket`, { ...labels, le: boundText(bound) }, upTo);
    });
    const count = amountsIn(histogram);
    return [
      ...buckets,
      line(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
      line(`${name}_sum`, labels, histogram.sum),
      line(`${name}_count`, labels, count),
    ];
  });
}

// OpenMetrics wants `le="1.0"`, and Prometheus 3 turns each bound into that. Without it, rules would break there.
const boundText = (bound: number) => (Number.isInteger(bound) ? `${bound}.0` : `${bound}`);

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

const escaped = (text: string) => text.replace(/[\\\n"]/g, (sign) => ESCAPES[sign] ?? sign);
