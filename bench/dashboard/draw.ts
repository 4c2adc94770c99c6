import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type uPlot from 'uplot';
import { chromiumPath, LAUNCH_ARGS } from '../../test/chromium.ts';

/** A panel of the dashboard with the answers to its queries. */
export type DrawnPanel = {
  readonly title: string;
  /** Grafana's name of it. */
  readonly unit: string;
  /** Shows the last value, and no plot. */
  readonly isStat: boolean;
  readonly series: readonly {
    readonly label: string;
    /** Times in seconds, and values. */
    readonly points: readonly (readonly [at: number, value: number])[];
  }[];
};

const WIDTH = 1_200;

const STYLE = `
  body { margin: 0; padding: 12px; width: ${WIDTH - 24}px; font: 12px system-ui, sans-serif; color: #1f2328;
    background: #f4f5f5; display: grid; grid-template-columns: repeat(12, 1fr); gap: 8px; }
  section { background: #fff; border: 1px solid #dcdfe3; border-radius: 3px; padding: 8px; grid-column: span 4; }
  section.stat { grid-column: span 2; text-align: center; }
  h2 { font-size: 12px; margin: 0 0 4px; }
  p { font-size: 22px; margin: 6px 0; color: #175cd3; }
  .u-legend { font-size: 11px; text-align: left; }
  section.stat + section.plot { grid-column: 1 / span 4; }
`;

/** Draws them with uPlot, in their order, and writes a picture. */
export async function drawPanels(picture: string, panels: readonly DrawnPanel[]): Promise<void> {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS });
  try {
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 800 }, deviceScaleFactor: 1.5 });
    await page.setContent('<!doctype html><meta charset="utf-8"><body></body>');
    await page.addStyleTag({
      content: readFileSync('node_modules/uplot/dist/uPlot.min.css', 'utf8') + STYLE,
    });
    await page.addScriptTag({ content: readFileSync('node_modules/uplot/dist/uPlot.iife.min.js', 'utf8') });
    // Stats first: between plots they would leave gaps.
    const ordered = [...panels.filter(({ isStat }) => isStat), ...panels.filter(({ isStat }) => !isStat)];
    await page.evaluate(drawInPage, ordered);
    await page.screenshot({ path: picture, fullPage: true });
  } finally {
    await browser.close();
  }
}

/** Runs in the page, so it can use nothing from outside itself. */
function drawInPage(panels: readonly DrawnPanel[]): void {
  const { uPlot: Plot } = window as unknown as { uPlot: typeof uPlot };
  const colors = ['#175cd3', '#b54708', '#087443', '#b42318', '#6941c6', '#53606e', '#c11574', '#0e7090'];
  const rounded = (value: number) => `${Number(value.toPrecision(3))}`;
  const scaled = (value: number): string => {
    if (Math.abs(value) >= 1e6) return `${rounded(value / 1e6)} M`;
    return Math.abs(value) >= 1e4 ? `${rounded(value / 1e3)} k` : rounded(value);
  };
  const inWords = (value: number | undefined, unit: string): string => {
    if (value === undefined || Number.isNaN(value)) return '–';
    if (unit === 'percentunit') return `${rounded(value * 100)} %`;
    if (unit === 'bytes') return `${scaled(value)}B`;
    return unit === 's' ? `${rounded(value)} s` : scaled(value);
  };
  for (const { title, unit, isStat, series } of panels) {
    const section = document.createElement('section');
    section.className = isStat ? 'stat' : 'plot';
    const heading = document.createElement('h2');
    heading.textContent = title;
    section.append(heading);
    document.body.append(section);
    if (isStat) {
      const figure = document.createElement('p');
      const last = series[0]?.points.at(-1)?.[1];
      figure.textContent = title.startsWith('WebEngage refuses')
        ? last
          ? 'yes'
          : 'no'
        : inWords(last, unit);
      section.append(figure);
      continue;
    }
    const times = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort(
      (a, b) => a - b,
    );
    const columns = series.map(({ points }) => {
      const known = new Map(points);
      return times.map((at) => {
        const value = known.get(at);
        return value === undefined || Number.isNaN(value) ? null : value;
      });
    });
    new Plot(
      {
        width: 358,
        height: 170,
        cursor: { show: false },
        legend: { live: false },
        scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
        axes: [{ size: 28 }, { size: 52, values: (_, ticks) => ticks.map((tick) => inWords(tick, unit)) }],
        series: [
          {},
          ...series.map(({ label }, index) => ({
            label: label || title,
            stroke: colors[index % colors.length] ?? '#000',
            width: 1.5,
            points: { show: false },
          })),
        ],
      },
      [times, ...columns],
      section,
    );
  }
}
