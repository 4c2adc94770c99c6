import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import uPlot from 'uplot';
import { count, hourAndMinute } from '../format.ts';
import { callColumns, callTop } from './columns.ts';
import type { Minute } from './last-hour.ts';
import { colour, Plot } from './plot.tsx';

type CallsProps = {
  readonly hour: readonly Minute[];
  /** How many calls a minute the account allows. */
  readonly limit: number;
};

const { bars } = uPlot.paths;
const COLUMNS = { width: 0, points: { show: false }, ...(bars && { paths: bars({ size: [0.74] }) }) };

// Failed calls stand on the accepted ones, which are drawn over the column of all.
const SERIES = [
  { ...COLUMNS, fill: colour('var(--bad)') },
  { ...COLUMNS, fill: colour('var(--good)') },
  { stroke: colour('var(--warn)'), width: 1.5, dash: [5, 4], points: { show: false } },
];

/** The calls of the last hour, against the limit. */
export function Calls({ hour, limit }: CallsProps): JSX.Element {
  const data = useMemo((): uPlot.AlignedData => {
    const { all, accepted } = callColumns(hour, limit);
    return [hour.map(({ at }) => at), all, accepted, hour.map(() => limit)];
  }, [hour, limit]);
  const most = Math.max(...hour.map(({ calls }) => calls));
  const failed = hour.reduce((total, minute) => total + minute.failed, 0);

  return (
    <Plot
      title="Calls a minute, against the allowance"
      label={`Calls in each of the last 60 minutes: at most ${count(most)}, of ${count(limit)} allowed; ${count(failed)} failed in all.`}
      series={SERIES}
      top={callTop}
      ticks={(_, [, , , limits]) => [0, limits?.[0] ?? 0]}
      data={data}
      describe={(index) => {
        const { at = 0, calls = 0, failed = 0 } = hour[index] ?? {};
        return `${hourAndMinute(at)}: ${count(calls - failed)} accepted, ${count(failed)} failed`;
      }}
      legend={
        <>
          <i /> accepted <i class="failed" /> failed <i class="limit" /> {count(limit)} allowed
        </>
      }
    />
  );
}
