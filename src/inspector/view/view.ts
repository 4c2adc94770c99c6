import { button, element, keyedList, type Row, setText } from '../../ui/dom.ts';
import type { Journal } from '../journal.ts';
import { briefOf, type Notice, type ViewModel } from '../view-model.ts';
import { createFigures } from './figures.ts';
import { type Part, part, scroller, table } from './parts.ts';
import { createRecordList } from './record-list.ts';
import { batchRow, driftRow, noticeRow, outcomeRow, troubleRow } from './rows.ts';

/** The actions of the buttons. */
export type Controls = {
  /** Resolves to the result, in words. */
  readonly flush: () => Promise<string>;
  readonly clear: () => void;
};

export type View = {
  /** The whole inspector, which can be opened and closed. */
  readonly box: HTMLDetailsElement;
  readonly show: (model: ViewModel) => void;
  /** The number of errors, which is also shown while the inspector is closed. */
  readonly showBrief: (journal: Journal) => void;
};

/** A part that shows some of the model. */
type Shown = { readonly part: Part; readonly show: (model: ViewModel) => void };

/** Makes the parts of the inspector, once. */
export function createView({ flush, clear }: Controls): View {
  const brief = element('span', { class: 'brief' });
  const notices = element('div', { class: 'notices', role: 'status' });
  const showNotices = keyedList<Notice>(notices, noticeRow);
  const figures = createFigures(flush);
  const buffer = createRecordList();
  const parts: readonly Shown[] = [
    errorsPart(clear),
    driftPart(),
    outcomesPart(),
    batchesPart(),
    { part: buffer, show: buffer.showRecords },
  ];
  const box = element(
    'details',
    { class: 'box' },
    element('summary', {}, element('h2', {}, 'Relay inspector'), brief),
    element(
      'div',
      { class: 'body' },
      notices,
      figures.node,
      element('div', { class: 'parts' }, ...parts.map(({ part: { node } }) => node)),
    ),
  );

  return {
    box,
    showBrief: (journal) => {
      setText(brief, briefOf(journal));
      brief.classList.toggle('has-errors', journal.errors > 0);
    },
    show: (model) => {
      showNotices(model.notices);
      figures.show(model);
      for (const { show } of parts) show(model);
    },
  };
}

/** A part with a list. While the list is empty, a sentence takes its place. */
function listPart<Line extends { readonly key: string }>(list: {
  readonly name: string;
  readonly node: HTMLElement;
  readonly empty: string;
  readonly row: (line: Line) => Row<Line>;
  readonly lines: (model: ViewModel) => readonly Line[];
}): Shown {
  const made = part(list.name, scroller(list.name, list.node), list.empty);
  const showLines = keyedList(list.node, list.row);
  return {
    part: made,
    show: (model) => {
      const lines = list.lines(model);
      made.show(lines.length > 0);
      showLines(lines);
    },
  };
}

function errorsPart(clear: () => void): Shown {
  const errors = listPart({
    name: 'Errors',
    node: element('ol', { role: 'log', 'aria-label': 'Errors', 'aria-live': 'polite' }),
    empty: 'None so far.',
    row: troubleRow,
    lines: ({ troubles }) => troubles,
  });
  errors.part.top.append(button('Clear lists', clear));
  return errors;
}

function driftPart(): Shown {
  return listPart({
    name: 'Type drift',
    node: table('An attribute should always have the same type', ['Event', 'Attribute', 'Times']),
    empty: 'None so far.',
    row: driftRow,
    lines: ({ drifts }) => drifts,
  });
}

function batchesPart(): Shown {
  return listPart({
    name: 'Batches',
    node: table('The latest outcomes, newest first', ['When', 'Outcome', 'Of']),
    empty: 'None so far.',
    row: batchRow,
    lines: ({ batches }) => batches,
  });
}

function outcomesPart(): Shown {
  const tracked = element('span');
  const list = element('dl', { class: 'outcomes' });
  const outcomes = part('Outcomes', list);
  outcomes.top.append(element('span', { class: 'small' }, 'of ', tracked, ' tracked'));
  const showLines = keyedList(list, outcomeRow);
  return {
    part: outcomes,
    show: (model) => {
      setText(tracked, model.tracked);
      showLines(model.outcomes);
    },
  };
}
