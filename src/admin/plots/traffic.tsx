import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import { count, hourAndMinute } from '../format.ts';
import { roundTop } from './columns.ts';
import { lastFull, type Minute } from './last-hour.ts';
import { colour, Plot } from './plot.tsx';

const SERIES = [
  { fill: colour('color-mix(in srgb, var(--accent) 40%, transparent)'), width: 0, points: { show: false } },
  { stroke: colour('var(--good)'), width: 2, points: { show: false } },
];

/** The records of the last hour: accepted as an area, delivered as a line over it. */
export function Traffic({ hour }: { readonly hour: readonly Minute[] }): JSX.Element {
  const data = useMemo((): uPlot.AlignedData => {
    // Without the running minute, which would look like a fall.
    const full = (what: 'accepted' | 'delivered') => [
      ...hour.slice(0, -1).map((minute) => minute[what]),
      null,
    ];
    return [hour.map(({ at }) => at), full('accepted'), full('delivered')];
  }, [hour]);
  const { accepted = 0, delivered = 0 } = lastFull(hour) ?? {};

  return (
    <Plot
      title="Records a minute"
      label={`Records accepted and delivered in each of the last 60 minutes; in the last full one ${count(accepted)} and ${count(delivered)}.`}
      series={SERIES}
      top={roundTop}
      ticks={(top) => [0, top / 2, top]}
      data={data}
      describe={(index) => {
        const { at = 0, accepted = 0, delivered = 0 } = hour[index] ?? {};
        return `${hourAndMinute(at)}: ${count(accepted)} accepted, ${count(delivered)} delivered`;
      }}
      legend={
        <>
          <i class="accepted" /> accepted <i class="delivered" /> delivered
        </>
      }
    />
  );
}
