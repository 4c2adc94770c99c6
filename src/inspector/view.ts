import { utf8Bytes } from '../contract/text.ts';
import { element, keyedList, type Row, setText } from './element.ts';
import type { BatchEnd, Drift, Journal, Trouble } from './journal.ts';
import { briefOf, type Notice, type Picture, type RecordLine } from './picture.ts';
import { clock, sizeInWords } from './words.ts';

/** What the buttons do. */
export type Controls = {
  /** Answers with what became of it, in words. */
  readonly flush: () => Promise<string>;
  readonly clear: () => void;
};

export type View = {
  /** The whole of it, to be opened and closed. */
  readonly box: HTMLDetailsElement;
  readonly show: (picture: Picture) => void;
  /** What was told, also to who has it closed. */
  readonly showBrief: (journal: Journal) => void;
};

/** The parts of the inspector as elements, made once. */
export function createView({ flush, clear }: Controls): View {
  const brief = element('span', { class: 'brief' });
  const notices = element('div', { class: 'notices', role: 'status' });
  const showNotices = keyedList<Notice>(notices, noticeRow);

  const waiting = element('dd');
  const oldest = element('dd');
  const pips = element('span', { class: 'pips', 'aria-hidden': 'true' });
  const tokens = element('span');
  const rate = element('span');
  // No `status`: it counts down, and what it is about is told once among the errors.
  const pause = element('p', { class: 'pause' });
  const said = element('p', { class: 'small said', role: 'status' });
  const flushing = button('Flush now', async () => {
    // Not `disabled`, which would take the focus away.
    if (flushing.hasAttribute('aria-disabled')) return;
    flushing.setAttribute('aria-disabled', 'true');
    setText(said, 'Sending …');
    setText(said, await flush());
    flushing.removeAttribute('aria-disabled');
  });
  const figures = element(
    'div',
    { class: 'figures' },
    element(
      'dl',
      {},
      figure(['Waiting'], waiting),
      figure(['Oldest'], oldest),
      figure(['Requests left', rate], element('dd', { class: 'bucket' }, pips, tokens)),
    ),
    flushing,
    pause,
    said,
  );

  const made = element('span');
  const ends = element('dl', { class: 'ends' });
  const showEnds = keyedList<Picture['ends'][number]>(ends, endRow);
  const endsPart = part('Ends by reason', ends);
  endsPart.top.append(element('span', { class: 'small' }, 'made ', made, ', which is'));

  const log = element('ol', { role: 'log', 'aria-label': 'Errors', 'aria-live': 'polite' });
  const errors = part('Errors', scroller('Errors', log), 'None told so far.');
  errors.top.append(button('Clear lists', clear));
  const showTroubles = keyedList<Trouble>(log, troubleRow);

  const drifts = table('An attribute should always be of one type', ['Event', 'Attribute', 'Times']);
  const drift = part('Type drift', scroller('Type drift', drifts), 'None seen so far.');
  const showDrifts = keyedList<Drift>(drifts, driftRow);

  const batches = table('The last that ended, newest first', ['When', 'End', 'Of']);
  const batch = part('Batches', scroller('Batches', batches), 'None ended so far.');
  const showBatches = keyedList<BatchEnd>(batches, batchRow);

  const records = table('', ['Record', 'Call', 'Age', 'Size']);
  const scroll = scroller('Buffer', records);
  const content = recordContent(() => scroll.focus());
  const buffer = part('Buffer', element('div', {}, scroll, content.node));
  buffer.node.classList.add('wide');
  const showRecords = keyedList<RecordLine>(records, (line) => recordRow(line, content), scroll);

  const body = element(
    'div',
    { class: 'body' },
    notices,
    figures,
    element('div', { class: 'parts' }, ...[errors, drift, endsPart, batch, buffer].map(({ node }) => node)),
  );
  const box = element(
    'details',
    { class: 'box' },
    element('summary', {}, element('h2', {}, 'Relay inspector'), brief),
    body,
  );

  return {
    box,
    showBrief: (journal) => {
      const text = briefOf(journal);
      setText(brief, text);
      brief.classList.toggle('told', journal.errors > 0);
    },
    show: (picture) => {
      showNotices(picture.notices);
      setText(waiting, picture.waiting);
      setText(oldest, picture.oldest);
      showPips(pips, picture.pips);
      setText(tokens, picture.tokens);
      setText(rate, picture.rate);
      setText(pause, picture.pause);
      setText(made, picture.made);
      showEnds(picture.ends);
      errors.show(picture.troubles.length > 0);
      showTroubles(picture.troubles);
      drift.show(picture.drifts.length > 0);
      showDrifts(picture.drifts);
      batch.show(picture.batches.length > 0);
      showBatches(picture.batches);
      if (records.caption) setText(records.caption, picture.listed);
      content.stillIn(picture.records);
      showRecords(picture.records);
    },
  };
}

function button(text: string, press: () => unknown): HTMLButtonElement {
  const made = element('button', { type: 'button' }, text);
  made.addEventListener('click', press);
  return made;
}

function figure(name: readonly (Node | string)[], value: HTMLElement): HTMLElement {
  return element('div', {}, element('dt', {}, ...name), value);
}

/** A part under a heading, with words in its place while there is nothing to see. */
function part(name: string, what: HTMLElement, empty?: string) {
  const top = element('div', { class: 'top' }, element('h3', {}, name));
  const words = element('p', { class: 'small' }, empty ?? '');
  const node = element('section', { 'aria-label': name }, top, words, what);
  const show = (isThere: boolean) => {
    what.hidden = !isThere;
    words.hidden = isThere;
  };
  show(empty === undefined);
  return { node, top, show };
}

/** What can be scrolled can be reached by Tab, or a keyboard could not scroll it. */
function scroller(name: string, what: HTMLElement): HTMLElement {
  return element('div', { class: 'scroll', role: 'group', 'aria-label': name, tabindex: '0' }, what);
}

function table(caption: string, columns: readonly string[]): HTMLTableElement {
  const heads = columns.map((name, index) =>
    element('th', { scope: 'col', class: index > 1 ? 'number' : '' }, name),
  );
  return element(
    'table',
    {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...heads)),
  );
}

/** A row of a table as a body of its own, so that it lies beside the others under one key. */
function tableRow(...cells: readonly Node[]): HTMLElement {
  return element('tbody', {}, element('tr', {}, ...cells));
}

const head = (...what: readonly (Node | string)[]) => element('th', { scope: 'row' }, ...what);

function noticeRow({ key, code }: Notice): Row<Notice> {
  const line = element('code');
  const update = (notice: Notice) => setText(line, notice.code);
  line.hidden = code === '';
  return { node: element('p', {}, key, ' ', line), update };
}

function endRow({ key }: { readonly key: string }): Row<Picture['ends'][number]> {
  const count = element('dd');
  return {
    node: element('div', {}, element('dt', {}, key), count),
    update: (end) => {
      setText(count, String(end.count));
      count.classList.toggle('none', end.count === 0);
    },
  };
}

function troubleRow({ kind, issues }: Trouble): Row<Trouble> {
  const at = element('time');
  const about = element('span', { class: 'about' });
  const times = element('span', { class: 'times' });
  const lines = issues.map(({ path, message }) =>
    element('div', {}, ...(path === '' ? [] : [element('code', {}, path), ' ']), message),
  );
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
      setText(at, clock(trouble.at));
      setText(about, trouble.about);
      setText(times, timesOf(trouble));
    },
  };
}

function driftRow({ record, path, rule }: Drift): Row<Drift> {
  const times = element('td', { class: 'number' });
  const node = tableRow(head(record), element('td', {}, element('code', {}, path), ' ', rule), times);
  return { node, update: (drift) => setText(times, String(drift.times)) };
}

function batchRow({ end }: BatchEnd): Row<BatchEnd> {
  const at = element('time');
  const detail = element('td', { class: 'number long' });
  const kind = element('td', {}, element('b', { class: `kind ${end}` }, end));
  return {
    node: tableRow(element('td', {}, at), kind, detail),
    update: (batch) => {
      setText(at, clock(batch.at));
      setText(detail, [batch.detail, timesOf(batch)].join(' '));
    },
  };
}

const timesOf = ({ times }: { readonly times: number }) => (times > 1 ? `×${times}` : '');

function showPips(pips: Element, full: readonly number[]): void {
  while (pips.childElementCount > full.length) pips.lastChild?.remove();
  while (pips.childElementCount < full.length) pips.append(element('i'));
  for (const [index, share] of full.entries())
    pips.children[index]?.setAttribute('class', share === 1 ? 'full' : share >= 0.5 ? 'half' : '');
}

type Content = ReturnType<typeof recordContent>;

function recordRow(line: RecordLine, content: Content): Row<RecordLine> {
  const open = button(line.name, () => {
    content.toggle(line);
    showWhether(line);
  });
  const showWhether = ({ key }: RecordLine) => open.setAttribute('aria-expanded', String(content.isOf(key)));
  const age = element('td', { class: 'number' });
  const size = utf8Bytes(JSON.stringify(line.entry.record));
  const node = tableRow(
    head(open),
    element('td', {}, line.kind),
    age,
    element('td', { class: 'number' }, sizeInWords(size)),
  );
  return {
    node,
    update: ({ age: by }) => {
      setText(age, by);
      showWhether(line);
    },
  };
}

/** What is in one record. It stays when the record has left: seconds would not do to read it. */
function recordContent(closed: () => void) {
  let shown = '';
  const name = element('b');
  const where = element('span', { class: 'small' });
  const text = element('pre');
  const close = button('Close', () => {
    show(undefined);
    closed();
  });
  const node = element(
    'div',
    { class: 'record', role: 'region', 'aria-label': 'Record' },
    element('div', {}, name, where, close),
    text,
  );
  function show(line: RecordLine | undefined): void {
    shown = line?.key ?? '';
    node.hidden = line === undefined;
    setText(name, line?.name ?? '');
    setText(text, line ? JSON.stringify(line.entry.record, null, 2) : '');
  }
  show(undefined);
  return {
    node,
    isOf: (key: string) => key === shown,
    toggle: (line: RecordLine) => show(shown === line.key ? undefined : line),
    stillIn: (lines: readonly RecordLine[]) =>
      setText(where, lines.some(({ key }) => key === shown) ? 'waits' : 'has left the buffer'),
  };
}
