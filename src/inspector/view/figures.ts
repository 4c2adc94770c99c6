import { button, element, setText } from '../../ui/dom.ts';
import type { ViewModel } from '../view-model.ts';

export type Figures = {
  readonly node: HTMLElement;
  readonly show: (model: ViewModel) => void;
};

/**
 * The number of waiting records, the allowance, and the button that flushes.
 *
 * @param flush resolves to its result, in words
 */
export function createFigures(flush: () => Promise<string>): Figures {
  const waiting = element('dd');
  const oldest = element('dd');
  const pips = element('span', { class: 'pips', 'aria-hidden': 'true' });
  const tokens = element('span');
  const rate = element('span');
  // No `status`: it counts down, and its cause is shown once among the errors.
  const pause = element('p', { class: 'pause' });
  const clock = element('p', { class: 'small' });
  const said = element('p', { class: 'small said', role: 'status' });
  const node = element(
    'div',
    { class: 'figures' },
    element(
      'dl',
      {},
      figure(['Waiting'], waiting),
      figure(['Oldest'], oldest),
      figure(['Requests left', rate], element('dd', { class: 'bucket' }, pips, tokens)),
    ),
    flushButton(flush, said),
    pause,
    clock,
    said,
  );

  return {
    node,
    show: (model) => {
      setText(waiting, model.waiting);
      setText(oldest, model.oldest);
      showPips(pips, model.pips);
      setText(tokens, model.tokens);
      setText(rate, model.rate);
      setText(pause, model.pause);
      setText(clock, model.clock);
    },
  };
}

function figure(name: readonly (Node | string)[], value: HTMLElement): HTMLElement {
  return element('div', {}, element('dt', {}, ...name), value);
}

function flushButton(flush: () => Promise<string>, said: HTMLElement): HTMLButtonElement {
  const made = button('Flush now', async () => {
    // Not `disabled`, which would take the focus away.
    if (made.hasAttribute('aria-disabled')) return;
    made.setAttribute('aria-disabled', 'true');
    setText(said, 'Sending …');
    setText(said, await flush());
    made.removeAttribute('aria-disabled');
  });
  return made;
}

function showPips(pips: Element, full: readonly number[]): void {
  while (pips.childElementCount > full.length) pips.lastChild?.remove();
  while (pips.childElementCount < full.length) pips.append(element('i'));
  full.forEach((share, index) => {
    pips.children[index]?.setAttribute('class', share === 1 ? 'full' : share >= 0.5 ? 'half' : '');
  });
}
