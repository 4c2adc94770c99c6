import { find, setText } from './element.js';

const MEANINGS = {
  none: 'Takes every call that keeps its rules, and no more of them in 60 s than are allowed.',
  down: 'Answers 503 without reading. The relay keeps everything, and tries the same batches again.',
  429: 'Says that the limit is reached. The relay pauses, for the whole account.',
  slow: 'Takes the records, and lets the answer wait.',
  cut: 'Takes the records, and breaks the answer off: the relay can’t know. The same x-request-id saves it.',
  cut_before: 'Breaks the answer off, and has taken nothing: to the relay it looks as if it had.',
  page: 'Answers as a gateway does, with a page of HTML.',
};

const BAD_DAY = [
  { fault: 500, chance: 0.03 },
  { fault: '429', chance: 0.01 },
  { fault: 'cut', chance: 0.04 },
  { fault: 'slow', chance: 0.02 },
];

const buttons = document.querySelectorAll('[data-fault]');
const meaning = find('#fault-meaning');

/** The orders for faults. `order` is given what is to change. */
export function startFaults(order) {
  for (const button of buttons)
    button.addEventListener('click', () =>
      order(changeBy(button.dataset.fault)).catch(() => setText(meaning, 'It did not take the order.')),
    );
}

export function showFaults(control) {
  const isMixed = control.fault === 'none' && control.faults.length > 0;
  const shown = isMixed ? 'mixed' : String(control.fault);
  for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.fault === shown));
  setText(meaning, isMixed ? mixed(control.faults) : meaningOf(control.fault));
}

function changeBy(fault) {
  return fault === 'mixed' ? { fault: 'none', faults: BAD_DAY } : { fault, faults: [] };
}

function meaningOf(fault) {
  return MEANINGS[fault] ?? `Answers every call with ${fault}.`;
}

function mixed(faults) {
  const shares = faults.map(({ fault, chance }) => `${Number((chance * 100).toFixed(2))} % ${fault}`);
  return `By chance: ${shares.join(', ')}.`;
}
