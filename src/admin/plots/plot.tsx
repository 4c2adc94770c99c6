import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { hourAndMinute, shortCount } from '../format.ts';
import { MINUTE_MS } from './last-hour.ts';

type PlotProps = {
  readonly title: string;
  /** What it shows, for those who can't see it. */
  readonly label: string;
  /** The top of the vertical axis, given the most that is shown. */
  readonly top: (most: number) => number;
  /** Where the vertical axis is labelled. */
  readonly ticks: (top: number, data: uPlot.AlignedData) => number[];
  readonly series: readonly uPlot.Series[];
  readonly data: uPlot.AlignedData;
  /** What is said of the minute that is pointed at, by its index. */
  readonly describe: (index: number) => string;
  /** Which colour means what. */
  readonly legend: ComponentChildren;
};

/**
 * A colour of the stylesheet, as a canvas takes it. What `light-dark()` comes to depends on where the plot stands.
 *
 * @param value a CSS colour, which may name variables
 */
export function colour(value: string): (plot: uPlot) => string {
  return ({ root }) => {
    root.style.color = value;
    return getComputedStyle(root).color;
  };
}

const MUTED = colour('var(--muted)');
const LINE = colour('var(--line)');
const VEIL = colour('color-mix(in srgb, var(--sunken) 55%, transparent)');

/** Fades the running minute: it is not over yet. */
function fadeRunning(plot: uPlot): void {
  const { ctx, bbox, data } = plot;
  const width = bbox.width / data[0].length;
  ctx.fillStyle = VEIL(plot);
  ctx.fillRect(bbox.left + bbox.width - width, bbox.top, width, bbox.height);
}

function optionsOf(
  { top, ticks, series }: PlotProps,
  point: (index: number | null | undefined) => void,
): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    ms: 1,
    // On the right, room for half a label.
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false } },
    hooks: { setCursor: [({ cursor }) => point(cursor.idx)], draw: [fadeRunning] },
    scales: {
      // A column is as wide as its minute.
      x: { range: (_, min, max) => [min - MINUTE_MS / 2, max + MINUTE_MS / 2] },
      y: { range: (_, __, most) => [0, top(most)] },
    },
    axes: [
      {
        stroke: MUTED,
        size: 26,
        grid: { show: false },
        ticks: { show: false },
        values: (_, moments) => moments.map(hourAndMinute),
      },
      {
        stroke: MUTED,
        size: 44,
        grid: { stroke: LINE, width: 1 },
        ticks: { show: false },
        splits: ({ data }, _, __, most) => ticks(most, data),
        values: (_, amounts) => amounts.map(shortCount),
      },
    ],
    series: [{}, ...series],
  };
}

/** The minutes of an hour, in the width there is. `top`, `ticks` and `series` are read once. */
export function Plot(props: PlotProps): JSX.Element {
  const { title, label, data, describe, legend } = props;
  const [pointed, setPointed] = useState<number | null>();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);

  useLayoutEffect(() => {
    const { current } = host;
    if (current === null) return;
    const size = () => ({ width: current.clientWidth, height: current.clientHeight });
    const made = new uPlot({ ...size(), ...optionsOf(props, setPointed) }, data, current);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize(size()));
    observer.observe(current);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, []);
  useLayoutEffect(() => plot.current?.setData(data), [data]);

  return (
    <figure>
      <h2>{title}</h2>
      <div ref={host} class="plot" role="img" aria-label={label} />
      <figcaption class="key small">
        {legend}
        {typeof pointed === 'number' && <span class="pointed">{describe(pointed)}</span>}
      </figcaption>
    </figure>
  );
}
