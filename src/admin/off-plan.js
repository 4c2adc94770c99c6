import { element, find, setText } from './element.js';
import { clock, count, counted } from './in-words.js';
import { plainText } from './record-text.js';

/** @import { Status, Violation } from './relay.js' */

const MODES = {
  off: 'TRACKING_PLAN is off: nothing is held against the plan.',
  report: 'TRACKING_PLAN is report: these were taken all the same.',
  enforce: 'TRACKING_PLAN is enforce: these were refused.',
};

/** @param {Status} status */
export function showOffPlan({ trackingPlan, at }) {
  find('off-plan', HTMLElement).hidden = trackingPlan === null;
  if (trackingPlan === null) return;
  const { mode, kinds, others } = trackingPlan;
  setText(find('off-plan-mode', HTMLElement), MODES[mode]);
  find('off-plan-table', HTMLElement).hidden = kinds.length === 0;
  find('off-plan-rows', HTMLTableSectionElement).replaceChildren(...kinds.map((kind) => row(kind, at)));
  setText(find('off-plan-note', HTMLElement), note(kinds, others));
}

/**
 * @param {readonly Violation[]} kinds
 * @param {number} others
 */
function note(kinds, others) {
  if (others > 0) return `And ${counted(others, 'more', 'more')}, in more ways than are kept apart.`;
  return kinds.length === 0 ? 'None in the last 7 days.' : '';
}

/**
 * What is in no plan is somebody's words: shown to the letter.
 *
 * @param {Violation} violation
 * @param {number} now
 */
function row({ of, path, rule, count: times, lastAt }, now) {
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, plainText(of)),
    element('td', {}, `${plainText(path)} ${rule}`),
    element('td', {}, count(times)),
    element('td', {}, clock(lastAt, now)),
  );
}
