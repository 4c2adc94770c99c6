import { element } from './element.js';
import { clock, counted } from './in-words.js';
import { plainText, recordText } from './record-text.js';

/** @import { Letter } from './relay.js' */

/**
 * @typedef {object} Deeds
 * @property {() => void} selected
 * @property {(deed: 'replay' | 'discard', letter: Letter) => void} settle
 */

/**
 * A dead letter: what it is and what WebEngage said in two lines, the record when opened.
 *
 * @param {Letter} letter
 * @param {number} now
 * @param {Deeds} deeds
 */
export function letterItem(letter, now, deeds) {
  const name = nameOf(letter);
  const select = element('input', { type: 'checkbox', value: letter.id, ariaLabel: `Select ${name}` });
  select.addEventListener('change', () => deeds.selected());

  return element(
    'li',
    { className: 'letter' },
    element('label', { className: 'select' }, select),
    element(
      'details',
      {},
      element(
        'summary',
        {},
        element('bdi', { className: 'name' }, name),
        element('span', { className: 'small' }, clock(letter.acceptedAt, now)),
        element('bdi', { className: 'words' }, wordsOf(letter)),
      ),
      facts([
        ['accepted', clock(letter.acceptedAt, now)],
        ['given up', `${clock(letter.givenUpAt, now)}, after ${counted(letter.attempts, 'attempt')}`],
        ['WebEngage’s words', wordsOf(letter)],
        ['browser', plainText(letter.device)],
        ['letter', letter.id],
      ]),
      element('pre', {}, recordText(letter.record)),
    ),
    element(
      'div',
      { className: 'deeds' },
      button('Replay', `Replay ${name}`, () => deeds.settle('replay', letter)),
      button('Discard', `Discard ${name}`, () => deeds.settle('discard', letter)),
    ),
  );
}

/** @param {Letter} letter */
function nameOf({ kind, record }) {
  const name = kind === 'event' ? record.eventName : (record.userId ?? record.anonymousId);
  return plainText(kind === 'event' ? String(name) : `user ${name}`);
}

/** @param {Letter} letter */
const wordsOf = ({ status, words }) =>
  `${status === 0 ? 'no answer' : status} ${plainText(words === '' ? '(no words)' : words)}`;

/** @param {readonly (readonly [string, string])[]} pairs */
function facts(pairs) {
  const entries = pairs.map(([term, said]) =>
    element('div', {}, element('dt', {}, term), element('dd', {}, element('bdi', {}, said))),
  );
  return element('dl', { className: 'facts' }, ...entries);
}

/**
 * @param {string} text
 * @param {string} ariaLabel
 * @param {() => void} pressed
 */
function button(text, ariaLabel, pressed) {
  const made = element('button', { type: 'button', ariaLabel }, text);
  made.addEventListener('click', pressed);
  return made;
}
