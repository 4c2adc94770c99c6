import { element, find, prose, setText } from './element.js';

/** @import { State } from './state.js' */

/**
 * Puts the state at the top of the page, and its name in the tab's title.
 * Only the name is a live region: it speaks when the state changes, not with every figure.
 *
 * @param {Omit<State, 'mood'> & { readonly mood: State['mood'] | 'lost' }} state
 */
export function showState({ mood, name, line, advice, also }) {
  document.title = `${name} · relay`;
  find('state', HTMLElement).dataset.mood = mood;
  setText(find('state-name', HTMLElement), name);
  setText(find('state-line', HTMLElement), line);
  replaceIfNew(find('state-advice', HTMLElement), advice.replaceAll('`', ''), prose(advice));
  replaceIfNew(
    find('state-also', HTMLElement),
    also.join(''),
    also.map((remark) => element('li', {}, remark)),
  );
}

/**
 * What stays the same is left alone: a command that is being copied keeps its selection.
 *
 * @param {Element} target
 * @param {string} text
 * @param {readonly (Node | string)[]} children
 */
function replaceIfNew(target, text, children) {
  if (target.textContent !== text) target.replaceChildren(...children);
}
