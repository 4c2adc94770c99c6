import { readExposition } from '../../fakes/metrics/exposition.ts';
import type { Scrape } from './deployment.ts';

const JOB = { job: 'webengage-relay', instance: 't.example.com' };

/** A query at some minute, with what it has to bring, as promtool's tests write it. */
export type RuleQuery = {
  readonly eval_time: string;
  readonly expr: string;
  readonly exp_samples: readonly { readonly labels: string; readonly value: number }[];
};

/** What Prometheus stores of these scrapes, as promtool's tests write it. A series that is gone is marked as stale. */
export function seriesOf(
  scrapes: readonly Scrape[],
): readonly { readonly series: string; readonly values: string }[] {
  const all = new Map<string, string[]>();
  const put = (at: number, name: string, labels: object, value: number) => {
    const text = Object.entries({ ...labels, ...JOB }).map(([label, of]) => `${label}=${JSON.stringify(of)}`);
    const key = `${name}{${text.join(',')}}`;
    const values = all.get(key) ?? Array<string>(scrapes.length).fill('_');
    values[at] = `${value}`;
    if (at + 1 < values.length) values[at + 1] = 'stale';
    all.set(key, values);
  };
  for (const [at, scrape] of scrapes.entries()) {
    put(at, 'up', {}, scrape === undefined ? 0 : 1);
    if (scrape === undefined) continue;
    for (const { name, labels, value } of readExposition(scrape).samples) put(at, name, labels, value);
  }
  return [...all].map(([series, values]) => ({ series, values: values.join(' ') }));
}
