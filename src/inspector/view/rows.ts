import { element, type Row, setText } from '../../ui/dom.ts';
import { formatTime } from '../../ui/format-time.ts';
import type { BatchEnd, Drift, Trouble } from '../journal.ts';
import type { Notice, ViewModel } from '../view-model.ts';
import { fieldLine, rowHead, tableRow } from './parts.ts';

type Outcome = ViewModel['outcomes'][number];

export function noticeRow({ key, code }: Notice): Row<Notice> {
  const line = element('code');
  const update = (notice: Notice) => setText(line, notice.code);
  line.hidden = code === '';
  return { node: element('p', {}, key, ' ', line), update };
}

export function outcomeRow({ key }: Outcome): Row<Outcome> {
  const count = element('dd');
  return {
    node: element('div', {}, element('dt', {}, key), count),
    update: (outcome) => {
      setText(count, String(outcome.count));
      count.classList.toggle('none', outcome.count === 0);
    },
  };
}

export function troubleRow({ kind, issues }: Trouble): Row<Trouble> {
  const at = element('time');
  const about = element('span', { class: 'about' });
  const times = element('span', { class: 'times' });
  const lines = issues.map(({ path, message }) => fieldLine(path, message));
  return {
    node: element(
      'li',
      {},
      at,
      element('b', { class: `kind ${kind}` }, kind),
      about,
      times,
      element('div', { class: 'issues' }, ...lines),
    ),
    update: (trouble) => {
      setText(at, formatTime(trouble.at));
      setText(about, trouble.about);
      setText(times, timesOf(trouble));
    },
  };
}

export function driftRow({ record, path, rule }: Drift): Row<Drift> {
  const times = element('td', { class: 'number' });
  const node = tableRow(rowHead(record), element('td', {}, element('code', {}, path), ' ', rule), times);
  return { node, update: (drift) => setText(times, String(drift.times)) };
}

export function batchRow({ end }: BatchEnd): Row<BatchEnd> {
  const at = element('time');
  const detail = element('td', { class: 'number long' });
  const kind = element('td', {}, element('b', { class: `kind ${end}` }, end));
  return {
    node: tableRow(element('td', {}, at), kind, detail),
    update: (batch) => {
      setText(at, formatTime(batch.at));
      setText(detail, `${batch.detail} ${timesOf(batch)}`);
    },
  };
}

const timesOf = ({ times }: { readonly times: number }) => (times > 1 ? `×${times}` : '');
