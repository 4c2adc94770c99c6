import { element } from '../../ui/dom.ts';

/** A part under a heading. While it has no content, a sentence takes its place. */
export type Part = {
  readonly node: HTMLElement;
  /** The line of the heading. */
  readonly top: HTMLElement;
  readonly show: (isThere: boolean) => void;
};

export function part(name: string, content: HTMLElement, empty?: string): Part {
  const top = element('div', { class: 'top' }, element('h3', {}, name));
  const sentence = element('p', { class: 'small' }, empty ?? '');
  const node = element('section', { 'aria-label': name }, top, sentence, content);
  const show = (isThere: boolean) => {
    content.hidden = !isThere;
    sentence.hidden = isThere;
  };
  show(empty === undefined);
  return { node, top, show };
}

/** A list that scrolls. It can be reached by Tab, so that a keyboard can scroll it. */
export function scroller(name: string, content: HTMLElement): HTMLElement {
  return element('div', { class: 'scroll', role: 'group', 'aria-label': name, tabindex: '0' }, content);
}

export function table(caption: string, columns: readonly string[]): HTMLTableElement {
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

/** A row of a table as a body of its own, so that a keyed list can hold it. */
export function tableRow(...cells: readonly Node[]): HTMLElement {
  return element('tbody', {}, element('tr', {}, ...cells));
}

export function rowHead(...content: readonly (Node | string)[]): HTMLElement {
  return element('th', { scope: 'row' }, ...content);
}

/** A field and its message. The field is empty for the record as a whole. */
export function fieldLine(path: string, message: string): HTMLElement {
  return element('div', {}, ...(path === '' ? [] : [element('code', {}, path), ' ']), message);
}
