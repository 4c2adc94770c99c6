import { element } from './element.js';

// Older ones are in `GET /records`; a page of thousands of them would help nobody.
const SHOWN = 100;

/**
 * A list that shows what is newly at the end of an array at its top, and leaves the rest alone:
 * what the reader has opened stays open.
 */
export function growingList(list, lineOf) {
  let known = [];

  return (items) => {
    const emptied = items.length < known.length || JSON.stringify(items[0]) !== JSON.stringify(known[0]);
    if (emptied) list.replaceChildren();
    const fresh = items.slice(emptied ? 0 : known.length).slice(-SHOWN);
    list.prepend(...fresh.map(lineOf).reverse());
    while (list.childElementCount > SHOWN) list.lastChild.remove();
    known = items;
  };
}

/** A line that opens to the record as it came. */
export function openable(record, ...summary) {
  return element(
    'li',
    {},
    element(
      'details',
      {},
      element('summary', {}, ...summary),
      element('pre', {}, JSON.stringify(record, null, 2)),
    ),
  );
}
