import { find, setText } from '../../ui/dom.ts';
import type { Control, Fault } from '../control.ts';
import type { Change } from './client.ts';

const MEANINGS: { readonly [fault in Fault]?: string } = {
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

const buttons = document.querySelectorAll<HTMLElement>('[data-fault]');
const meaning = find('#fault-meaning');

/** The orders for faults. `order` is given what is to change. */
export function startFaults(order: (change: Change) => Promise<void>): void {
  for (const button of buttons)
    button.addEventListener('click', () =>
      order(changeBy(button.dataset.fault)).catch(() => setText(meaning, 'It did not take the order.')),
    );
}

export function showFaults({ fault, faults }: Control): void {
  const isMixed = fault === 'none' && faults.length > 0;
  const shown = isMixed ? 'mixed' : String(fault);
  for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.fault === shown));
  setText(meaning, isMixed ? mixed(faults) : (MEANINGS[fault] ?? `Answers every call with ${fault}.`));
}

function changeBy(fault: string | undefined): Change {
  return fault === 'mixed' ? { fault: 'none', faults: BAD_DAY } : { fault, faults: [] };
}

function mixed(faults: Control['faults']): string {
  const shares = faults.map(({ fault, chance }) => `${Number((chance * 100).toFixed(2))} % ${fault}`);
  return `By chance: ${shares.join(', ')}.`;
}
