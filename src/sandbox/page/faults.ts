import { find, setText } from '../../ui/dom.ts';
import type { Control, Fault } from '../control.ts';
import type { Change } from './client.ts';

const MEANINGS: { readonly [fault in Fault]?: string } = {
  none: 'Accepts every valid call, up to the limit in 60 s.',
  down: 'Answers 503 without reading the body. The relay keeps everything and sends the same batches again.',
  429: 'Answers 429. The relay pauses for the whole account.',
  slow: 'Accepts the records and delays the answer.',
  cut: 'Accepts the records and cuts the answer off. The relay sends them again under the same x-request-id.',
  cut_before: 'Accepts nothing and cuts the answer off. The relay can’t tell whether it did.',
  page: 'Answers with a page of HTML, as a gateway does.',
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
      order(changeBy(button.dataset.fault)).catch(() => setText(meaning, 'The sandbox refused the change.')),
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
