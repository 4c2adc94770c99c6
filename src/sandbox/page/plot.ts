import { find } from '../../ui/dom.ts';
import type { Call } from './client.ts';

const SVG = 'http://www.w3.org/2000/svg';
const SECONDS = 60;
// So that the limit is in the picture when little happens.
const LEAST_TOP = 10;
const plot = find<SVGSVGElement>('.plot svg');
const title = find<SVGTitleElement>('title', plot);

/** Draws the calls of each of the last 60 seconds, and the rate that is allowed in a minute. */
export function drawPlot(calls: readonly Call[], allowed: number, now: number): void {
  const seconds = bySecond(calls, now);
  const top = Math.max(LEAST_TOP, allowed / SECONDS, ...seconds.map(({ taken, failed }) => taken + failed));
  const bars = seconds.flatMap(({ taken, failed }, index) => [
    bar('taken', index, top - taken, taken),
    bar('failed', index, top - taken - failed, failed),
  ]);
  const limit = top - allowed / SECONDS;
  plot.setAttribute('viewBox', `0 0 ${SECONDS} ${top}`);
  plot.replaceChildren(
    title,
    ...bars,
    shape('line', { class: 'limit', x1: 0, x2: SECONDS, y1: limit, y2: limit }),
  );
}

/** Oldest second first. */
function bySecond(calls: readonly Call[], now: number) {
  const seconds = Array.from({ length: SECONDS }, () => ({ taken: 0, failed: 0 }));
  for (const { at, status } of calls) {
    const second = seconds[SECONDS - 1 - Math.floor((now - at) / 1000)];
    if (second !== undefined) second[status < 300 ? 'taken' : 'failed'] += 1;
  }
  return seconds;
}

function bar(kind: 'taken' | 'failed', index: number, y: number, height: number): Element {
  return shape('rect', { class: kind, x: index + 0.12, y, width: 0.76, height });
}

function shape(name: 'rect' | 'line', attributes: Readonly<Record<string, string | number>>): Element {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value));
  return made;
}
