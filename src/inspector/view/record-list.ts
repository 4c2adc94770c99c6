import { button, element, keyedList, type Row, setText } from '../../ui/dom.ts';
import { toWire } from '../judge.ts';
import { formatSize, ruleMessage, verdictMessage } from '../messages.ts';
import type { RecordLine, ViewModel } from '../view-model.ts';
import { fieldLine, type Part, part, rowHead, scroller, table, tableRow } from './parts.ts';

// Saved when the script loads: a page may replace it later.
const { stringify } = JSON;

/** The waiting records, and the content of the one that is open. */
export function createRecordList(): Part & { readonly showRecords: (model: ViewModel) => void } {
  const records = table('', ['Record', 'Call', 'Age', 'Size', 'Relay']);
  const scroll = scroller('Buffer', records);
  const panel = recordPanel(() => scroll.focus());
  const buffer = part('Buffer', element('div', {}, scroll, panel.node));
  buffer.node.classList.add('wide');
  const showLines = keyedList<RecordLine>(records, (line) => recordRow(line, panel), scroll);
  return {
    ...buffer,
    showRecords: (model) => {
      if (records.caption) setText(records.caption, model.listed);
      panel.showWhether(model.records);
      showLines(model.records);
    },
  };
}

type RecordPanel = ReturnType<typeof recordPanel>;

function recordRow(line: RecordLine, panel: RecordPanel): Row<RecordLine> {
  const open = button(line.name, () => {
    panel.toggle(line);
    showExpanded();
  });
  const showExpanded = () => open.setAttribute('aria-expanded', String(panel.isOf(line.key)));
  const age = element('td', { class: 'number' });
  const size = new TextEncoder().encode(stringify(toWire(line.record))).length;
  const findings = line.findings();
  const node = tableRow(
    rowHead(open),
    element('td', {}, line.kind),
    age,
    element('td', { class: 'number' }, formatSize(size)),
    element('td', { class: findings.length > 0 ? 'number kind' : 'number' }, verdictMessage(findings)),
  );
  return {
    node,
    update: (latest) => {
      setText(age, latest.age);
      showExpanded();
    },
  };
}

/** The content of one record. It stays after the record has left, or there would be no time to read it. */
function recordPanel(closed: () => void) {
  let shown = '';
  const name = element('b');
  const where = element('span', { class: 'small' });
  const findings = element('div', { class: 'findings' });
  const text = element('pre');
  const close = button('Close', () => {
    show(undefined);
    closed();
  });
  const node = element(
    'div',
    { class: 'record', role: 'region', 'aria-label': 'Record' },
    element('div', { class: 'top' }, name, where, close),
    findings,
    text,
  );
  function show(line: RecordLine | undefined): void {
    shown = line?.key ?? '';
    node.hidden = line === undefined;
    setText(name, line?.name ?? '');
    setText(where, 'waits');
    findings.replaceChildren(
      ...(line?.findings() ?? []).map(({ path, rule, done }) => fieldLine(path, ruleMessage(rule, done))),
    );
    setText(text, line ? stringify(toWire(line.record), null, 2) : '');
  }
  show(undefined);
  return {
    node,
    isOf: (key: string) => key === shown,
    toggle: (line: RecordLine) => show(shown === line.key ? undefined : line),
    showWhether: (lines: readonly RecordLine[]) =>
      setText(where, lines.some(({ key }) => key === shown) ? 'waits' : 'has left the buffer'),
  };
}
