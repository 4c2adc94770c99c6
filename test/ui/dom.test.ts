import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { element, keyedList, setText } from '../../src/ui/dom.ts';

type Line = { readonly key: string; readonly text: string };

function list() {
  document.body.replaceChildren();
  const refuge = element('div', { tabindex: '0' });
  const node = element('ul', {}, element('li', { class: 'head' }));
  document.body.append(refuge, node);
  let made = 0;
  const show = keyedList<Line>(
    node,
    () => {
      made += 1;
      const own = element('li', { tabindex: '0' });
      return { node: own, update: ({ key, text }) => setText(own, `${key} ${text}`) };
    },
    refuge,
  );
  const texts = () => [...node.children].slice(1).map(({ textContent }) => textContent);
  return { node, refuge, show, texts, made: () => made };
}

const lines = (...keys: readonly string[]) => keys.map((key) => ({ key, text: '' }));

describe('a keyed list', () => {
  test('shows these lines in this order, after its fixed content, whatever it showed before', () => {
    const keys = fc.uniqueArray(fc.constantFrom(...'abcdefgh'));

    fc.assert(
      fc.property(fc.array(fc.array(fc.tuple(keys, fc.string()), { maxLength: 4 })), (turns) => {
        const { node, show, texts } = list();
        for (const [these, text] of turns.flat()) {
          show(these.map((key) => ({ key, text })));
          expect(texts()).toEqual(these.map((key) => `${key} ${text}`));
          expect(node.firstElementChild?.className).toBe('head');
        }
      }),
    );
  });

  test('keeps the element of a line that stays, and its focus', () => {
    const { node, show, made } = list();
    show(lines('a', 'b'));
    const kept = node.children[2] as HTMLElement;
    kept.focus();

    show(lines('b', 'c'));

    expect(node.children[1]).toBe(kept);
    expect(document.activeElement).toBe(kept);
    expect(made()).toBe(3);
  });

  test('moves the focus from a line that is removed', () => {
    const { node, refuge, show } = list();
    show(lines('a'));
    (node.children[1] as HTMLElement).focus();

    show([]);

    expect(document.activeElement).toBe(refuge);
  });
});

describe('an element', () => {
  test('takes text as text', () => {
    const node = element('p', { title: 'said' }, '<img src=x>');

    expect([node.title, node.childElementCount, node.textContent]).toEqual(['said', 0, '<img src=x>']);
  });

  test('is written only if it changes', () => {
    const node = element('p', {}, 'same');
    const { firstChild } = node;

    setText(node, 'same');
    expect(node.firstChild).toBe(firstChild);
    setText(node, 'other');
    expect(node.textContent).toBe('other');
  });
});
