/** One element with attributes and children. Text goes in as text, never as HTML: a site's visitors write it. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** The element of our own page that a selector means. */
export function find<Found extends Element = HTMLElement>(
  selector: string,
  within: ParentNode = document,
): Found {
  const found = within.querySelector<Found>(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return found;
}

export function button(text: string, press: () => unknown): HTMLButtonElement {
  const made = element('button', { type: 'button' }, text);
  made.addEventListener('click', press);
  return made;
}

/** Writes only what has changed: a selection stays, and a live region speaks up only with news. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** An element for a line, and what brings it up to date. */
export type Row<Line> = { readonly node: Element; readonly update: (line: Line) => void };

/**
 * A list whose lines are known by their keys: what stays keeps its element, and with it focus and selection.
 * What the list holds by now comes before them. Focus in a line that goes moves to `refuge`.
 */
export function keyedList<Line extends { readonly key: string }>(
  list: Element,
  make: (line: Line) => Row<Line>,
  refuge?: HTMLElement,
): (lines: readonly Line[]) => void {
  const before = list.childElementCount;
  let rows: ReadonlyMap<string, Row<Line>> = new Map();

  return (lines) => {
    const earlier = rows;
    rows = new Map(lines.map((line) => [line.key, earlier.get(line.key) ?? make(line)]));
    for (const [key, { node }] of earlier)
      if (!rows.has(key)) {
        const { activeElement } = node.getRootNode() as ShadowRoot;
        if (activeElement && node.contains(activeElement)) refuge?.focus();
        node.remove();
      }
    let index = before;
    for (const line of lines) {
      const row = rows.get(line.key);
      row?.update(line);
      const there = list.children[index++] ?? null;
      if (row && row.node !== there) list.insertBefore(row.node, there);
    }
  };
}
