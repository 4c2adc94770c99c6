import { BURST_BEGINS, type Burst, type BurstMoment, burstStep, capacityOf } from './backlog.ts';

const WIDTH = 720;
const HEIGHT = 300;
const LEFT = 70;
const BOTTOM = 40;
const TOP = 30;

/** Ten minutes at 1,000 records a second, and 50 a second after that. */
const BURST: Burst = {
  recordsPerSecond: 1_000,
  burstSeconds: 600,
  basePerSecond: 50,
  capacity: capacityOf(1),
};

const STEP_SECONDS = 60;
const LABEL_SECONDS = 600;
const LABEL_RECORDS = 100_000;

/** Plots the backlog of one burst over time, for docs/images/backlog.svg. */
export function backlogPlot(): string {
  const moments = [BURST_BEGINS];
  for (let moment = burstStep(BURST_BEGINS, BURST); ; moment = burstStep(moment, BURST)) {
    if (moment.second % STEP_SECONDS === 0 || moment.waiting === 0) moments.push(moment);
    if (moment.waiting === 0) break;
  }
  const lastSecond = moments.at(-1)?.second ?? 0;
  const most = Math.max(...moments.map(({ waiting }) => waiting));
  const x = (second: number) => tenth(LEFT + (second / lastSecond) * (WIDTH - LEFT - 30));
  const y = (records: number) => tenth(HEIGHT - BOTTOM - (records / most) * (HEIGHT - BOTTOM - TOP));
  const point = ({ second, waiting }: BurstMoment) => `${x(second)},${y(waiting)}`;
  const text = (at: string, words: string, anchor = 'middle') =>
    `<text ${at} text-anchor="${anchor}">${words}</text>`;

  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#555">`,
    '<title>The backlog of a burst: ten minutes at 1,000 records a second, over 50 a second</title>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...upTo(most, LABEL_RECORDS).flatMap((records) => [
      `<path d="M${LEFT} ${y(records)}H${WIDTH - 30}" stroke="#ddd"/>`,
      text(`x="${LEFT - 8}" y="${y(records) + 4}"`, records.toLocaleString('en-US'), 'end'),
    ]),
    ...upTo(lastSecond, LABEL_SECONDS).map((second) =>
      text(`x="${x(second)}" y="${HEIGHT - BOTTOM + 18}"`, `${second / 60} min`),
    ),
    `<polyline points="${moments.map(point).join(' ')}" fill="none" stroke="#2563eb" stroke-width="2"/>`,
    text(`x="${LEFT}" y="18"`, 'records that wait', 'start'),
    '</svg>',
  ].join('\n')}\n`;
}

// Rounded to whole pixels, a straight line would become a staircase.
function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function upTo(last: number, step: number): number[] {
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, index) => index * step);
}
