import { element, find, setText } from './element.js';
import { count, hourAndMinute, shortCount } from './in-words.js';
import { lastFull, MINUTES } from './last-hour.js';
import { callBars, trafficPaths } from './plot-shapes.js';

/** @import { Minute } from './relay.js' */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {readonly Minute[]} hour
 * @param {number} limit
 */
export function showPlots(hour, limit) {
  showCalls(hour, limit);
  showTraffic(hour);
  for (const place of document.querySelectorAll('[data-minutes-ago]')) {
    const { minutesAgo } = /** @type {HTMLElement} */ (place).dataset;
    const minute = hour.at(-1 - Number(minutesAgo));
    if (minute !== undefined) setText(place, hourAndMinute(minute.at));
  }
  // Sixty rows that nobody looks at need not be made every two seconds.
  if (find('minutes', HTMLDetailsElement).open) showTable(hour);
}

/**
 * @param {readonly Minute[]} hour
 * @param {number} limit
 */
function showCalls(hour, limit) {
  const { top, bars } = callBars(hour, limit);
  draw(find('calls-plot', SVGSVGElement), top, [
    ...bars.map(({ kind, running, x, y, width, height }) =>
      shape('rect', { class: running ? `${kind} running` : kind, x, y, width, height }),
    ),
    shape('line', { class: 'limit', x1: 0, x2: MINUTES, y1: top - limit, y2: top - limit }),
  ]);
  const label = find('limit-label', HTMLElement);
  setText(label, `limit ${count(limit)}`);
  label.style.setProperty('bottom', `${(limit / top) * 100}%`);
  const failed = hour.reduce((total, minute) => total + minute.failed, 0);
  const most = Math.max(...hour.map(({ calls }) => calls));
  describe(
    'calls-plot',
    `Calls in each of the last 60 minutes: at most ${count(most)}, of ${count(limit)} allowed; ${count(failed)} failed in all.`,
  );
}

/** @param {readonly Minute[]} hour */
function showTraffic(hour) {
  const { top, accepted, delivered } = trafficPaths(hour);
  draw(find('traffic-plot', SVGSVGElement), top, [
    shape('line', { class: 'rule', x1: 0, x2: MINUTES, y1: 0, y2: 0 }),
    shape('line', { class: 'rule', x1: 0, x2: MINUTES, y1: top / 2, y2: top / 2 }),
    shape('path', { class: 'accepted', d: accepted }),
    shape('path', { class: 'delivered', d: delivered }),
  ]);
  setText(find('traffic-top', HTMLElement), shortCount(top));
  const last = lastFull(hour);
  describe(
    'traffic-plot',
    `Records accepted and delivered in each of the last 60 minutes; in the last full one ${count(last?.accepted ?? 0)} and ${count(last?.delivered ?? 0)}.`,
  );
}

/** @param {readonly Minute[]} hour */
export function showTable(hour) {
  const rows = hour.map((minute) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, hourAndMinute(minute.at)),
      ...[minute.accepted, minute.delivered, minute.deadLetters, minute.calls, minute.failed].map((amount) =>
        element('td', {}, count(amount)),
      ),
    ),
  );
  find('minute-rows', HTMLTableSectionElement).replaceChildren(...rows.reverse());
}

/**
 * @param {SVGSVGElement} plot
 * @param {number} top
 * @param {readonly SVGElement[]} shapes
 */
function draw(plot, top, shapes) {
  plot.setAttribute('viewBox', `0 0 ${MINUTES} ${top}`);
  plot.replaceChildren(...shapes);
}

/**
 * @param {string} id
 * @param {string} text
 */
function describe(id, text) {
  find(id, SVGSVGElement).setAttribute('aria-label', text);
}

/**
 * @param {'rect' | 'line' | 'path'} name
 * @param {Readonly<Record<string, string | number>>} attributes
 */
function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value));
  return made;
}
