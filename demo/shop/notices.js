import { element, find, setText } from '../sandbox/public/element.js';
import { on } from './calls.js';
import { reasonInWords } from './pace.js';

const AT_MOST = 40;
const list = find('.notices');
let newest;

const REPAIRS = { cut: 'cut to fit', 'left out': 'left out, and the rest goes', kept: 'kept as it is' };
const DROPS = {
  expired: 'older than 7 days',
  over_max_records: 'the buffer was full',
  opted_out: 'the visitor opted out',
};

/** Writes what the tracker tells into the log, in plain words. */
export function startNotices() {
  on('repaired', ({ record, path, rule, done }) =>
    notice('repaired', `${record}: ${path.replace(/^\w+\./, '')} ${rule}: ${REPAIRS[done]}.`),
  );
  on('rejected', ({ issues }) =>
    notice(
      'rejected',
      `A record was refused: ${issues.map(({ path, message }) => `${path} ${message}`).join(', ')}.`,
    ),
  );
  on('dropped', ({ ids, reason }) =>
    notice('dropped', `${ids.length} given up: ${DROPS[reason] ?? reason}.`),
  );
  on('retrying', ({ reason, inMs }) =>
    notice(
      'retrying',
      `${reasonInWords(reason)}. Kept, next try in ${Math.max(1, Math.round(inMs / 1000))} s.`,
      reason,
    ),
  );
  on('degraded', ({ reason }) => notice('degraded', `Records no longer outlive the page: ${reason}`));
}

/** A notice like the newest takes its place, and counts: one outage must not push all else out. */
function notice(kind, text, same = text) {
  find('.quiet').hidden = true;
  const key = `${kind} ${same}`;
  if (newest?.key === key) {
    newest.times += 1;
    setText(find('.text', newest.line), text);
    setText(find('.times', newest.line), `×${newest.times}`);
    return;
  }
  const line = element(
    'li',
    { data: { kind } },
    element('b', {}, kind),
    element('span', { className: 'text' }, text),
    element('span', { className: 'times small' }),
  );
  list.prepend(line);
  if (list.childElementCount > AT_MOST) list.lastChild.remove();
  newest = { key, line, times: 1 };
}
