/**
 * A list that takes away what has gone and puts in what has come, and never touches the rest:
 * what the reader has opened, selected or focused stays so.
 *
 * @template Item
 * @param {Element} list
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => Element} lineOf
 * @returns {(items: readonly Item[]) => void}
 */
export function keyedList(list, keyOf, lineOf) {
  /** @type {Map<string, Element>} */
  let shown = new Map();

  return (items) => {
    const next = new Map(items.map((item) => [keyOf(item), shown.get(keyOf(item)) ?? lineOf(item)]));
    for (const [key, line] of shown) if (!next.has(key)) line.remove();
    let at = list.firstElementChild;
    for (const line of next.values()) {
      if (line === at) at = at.nextElementSibling;
      else list.insertBefore(line, at);
    }
    shown = next;
  };
}
