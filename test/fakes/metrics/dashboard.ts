import { readFileSync } from 'node:fs';

type Panel = {
  readonly title: string;
  readonly type: 'stat' | 'timeseries';
  readonly fieldConfig: { readonly defaults: { readonly unit: string } };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
};

/** The panels of Grafana's dashboard, whose queries have Grafana's variables replaced. */
export function dashboardPanels(job = 'webengage-relay', rateInterval = '1m'): readonly Panel[] {
  const text = readFileSync('ops/grafana/dashboard.json', 'utf8');
  return JSON.parse(text.replaceAll('$__rate_interval', rateInterval).replaceAll('$job', job)).panels;
}
