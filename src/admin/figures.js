import { find, setText } from './element.js';
import { count, duration, growth, shortCount } from './in-words.js';
import { lastFull } from './last-hour.js';

/** @import { Backlog, Minute, Status } from './relay.js' */

/**
 * @param {Status} status
 * @param {readonly Minute[]} hour
 */
export function showFigures({ backlog, gate, recordsPerCall }, hour) {
  const last = lastFull(hour);
  const used = (last?.calls ?? 0) / Math.max(1, gate.requestsPerMinute);
  write('waiting', count(backlog.records));
  write('waiting-more', `there is room for ${shortCount(backlog.maxRecords)}`);
  write('oldest', backlog.records === 0 ? '–' : duration(backlog.oldestAgeMs));
  write('growth', growth(backlog.growthPerMinute));
  write('empty-in', emptyIn(backlog));
  write('calls', count(last?.calls ?? 0));
  write(
    'calls-more',
    `${Math.round(used * 100)} % of ${count(gate.requestsPerMinute)}; ${count(hour.at(-1)?.calls ?? 0)} so far in this one`,
  );
  write('per-call', recordsPerCall === null ? '–' : recordsPerCall.toFixed(1));
}

/** @param {Backlog} backlog */
function emptyIn({ records, drainMs }) {
  if (records === 0 || drainMs === 0) return 'it is empty';
  return drainMs === null ? 'it does not drain' : `empty in ${duration(drainMs)}`;
}

/**
 * @param {string} id
 * @param {string} text
 */
const write = (id, text) => setText(find(id, HTMLElement), text);
