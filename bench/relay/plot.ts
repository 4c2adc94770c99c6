/** Calls to WebEngage for 1,000 records, at one rate of visitors. */
export type Point = {
  readonly visitorsPerSecond: number;
  readonly passThrough: number;
  readonly relay: number;
};

export type PlotOptions = {
  readonly points: readonly Point[];
  /** The rates in visitors a second above which each needs more calls than the account allows. */
  readonly limits: { readonly passThrough: number; readonly relay: number };
  /** Calls for 1,000 records if every call is full. */
  readonly floor: number;
};

const WIDTH = 760;
const HEIGHT = 430;
const LEFT = 70;
const RIGHT = 720;
const TOP = 74;
const BOTTOM = 360;
const MAX_CALLS = 220;

// Both contrast with the background, and with each other in greyscale.
const PASS_THROUGH = '#b42318';
const RELAY = '#175cd3';
const INK = '#1f2328';
const FAINT = '#59636e';

const x = (perSecond: number) => LEFT + ((RIGHT - LEFT) * (Math.log10(perSecond) + 0.12)) / 3.24;
const y = (calls: number) => BOTTOM - ((BOTTOM - TOP) * calls) / MAX_CALLS;

type Mark = { readonly fill?: string; readonly anchor?: 'middle' | 'end'; readonly size?: number };

function text(
  atX: number,
  atY: number,
  words: string,
  { fill = FAINT, anchor, size = 12 }: Mark = {},
): string {
  const place = `x="${atX.toFixed(1)}" y="${atY.toFixed(1)}" font-size="${size}" fill="${fill}"`;
  return `<text ${place}${anchor ? ` text-anchor="${anchor}"` : ''}>${words}</text>`;
}

function line(
  [fromX, fromY]: readonly [number, number],
  [toX, toY]: readonly [number, number],
  style: string,
) {
  const ends = [fromX, fromY, toX, toY].map((value) => value.toFixed(1));
  return `<path d="M${ends[0]} ${ends[1]}L${ends[2]} ${ends[3]}" ${style}/>`;
}

/**
 * Plots calls to WebEngage for 1,000 records against visitors a second, as SVG. It has its own background,
 * for light and dark pages.
 */
export function plot({ points, limits, floor }: PlotOptions): string {
  const gridX = [1, 10, 100, 1_000].flatMap((value) => [
    line([x(value), TOP], [x(value), BOTTOM], 'stroke="#e4e7ea"'),
    text(x(value), BOTTOM + 20, value.toLocaleString('en'), { anchor: 'middle' }),
  ]);
  const gridY = [0, 50, 100, 150, 200].flatMap((value) => [
    line([LEFT, y(value)], [RIGHT, y(value)], `stroke="${value === 0 ? FAINT : '#e4e7ea'}"`),
    text(LEFT - 10, y(value) + 4, String(value), { anchor: 'end' }),
  ]);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" role="img">`,
    '<title>Calls to WebEngage for 1,000 records, at 1 to 1,000 visitors a second</title>',
    `<rect x=".5" y=".5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="8" fill="#fbfbfa" stroke="#d1d9e0"/>`,
    text(24, 32, 'Calls to WebEngage for 1,000 records', { fill: INK, size: 17 }),
    text(24, 52, 'Measured by npm run bench:relay. Each visitor flushes 5 events once.'),
    ...gridX,
    ...gridY,
    text((LEFT + RIGHT) / 2, BOTTOM + 46, 'visitors a second (logarithmic)', { anchor: 'middle' }),
    line([LEFT, y(floor)], [RIGHT, y(floor)], `stroke="${FAINT}" stroke-dasharray="2 4"`),
    text(LEFT + 6, y(floor) + 17, `${floor}: every call full, 25 records`),
    ...limit(limits.passThrough, PASS_THROUGH),
    ...limit(limits.relay, RELAY),
    text(x(limits.passThrough) + 8, y(168), 'over 500 calls a minute: refused with 429', {
      fill: PASS_THROUGH,
    }),
    text(x(limits.relay) + 8, y(112), 'over 500 calls a minute:', { fill: RELAY }),
    text(x(limits.relay) + 8, y(112) + 16, 'the rest waits in the relay', { fill: RELAY }),
    ...curve(points, 'passThrough', PASS_THROUGH, limits.passThrough),
    ...curve(points, 'relay', RELAY, limits.relay),
    text(x(1) + 44, y(200) + 20, 'pass-through', { fill: PASS_THROUGH, size: 14 }),
    text(x(1) + 44, y(points[0]?.relay ?? 0) - 4, 'relay', { fill: RELAY, size: 14 }),
    '</svg>',
  ].join('\n')}\n`;
}

function limit(visitorsPerSecond: number, colour: string): string[] {
  const atX = x(visitorsPerSecond);
  return [
    line([atX, TOP], [atX, BOTTOM], `stroke="${colour}" stroke-dasharray="5 4" opacity=".7"`),
    text(atX, TOP - 6, `${visitorsPerSecond.toFixed(1)}/s`, { fill: colour, anchor: 'middle' }),
  ];
}

/** The points with their values. Points beyond the limit are hollow: WebEngage does not take that many calls. */
function curve(
  points: readonly Point[],
  way: 'passThrough' | 'relay',
  colour: string,
  upTo: number,
): string[] {
  const path = points.map((point) => `${x(point.visitorsPerSecond).toFixed(1)} ${y(point[way]).toFixed(1)}`);
  return [
    `<path d="M${path.join('L')}" fill="none" stroke="${colour}" stroke-width="2.5"/>`,
    ...points.flatMap(({ visitorsPerSecond, [way]: calls }) => [
      `<circle cx="${x(visitorsPerSecond).toFixed(1)}" cy="${y(calls).toFixed(1)}" r="5" stroke="${colour}" stroke-width="2.5" fill="${visitorsPerSecond > upTo ? '#fbfbfa' : colour}"/>`,
      text(x(visitorsPerSecond), y(calls) - 12, calls.toFixed(0), { fill: INK, anchor: 'middle' }),
    ]),
  ];
}
