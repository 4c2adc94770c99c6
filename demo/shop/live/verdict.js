import { find, setText } from '../../../dist/modules/ui/dom.js';

const board = find('.verdict');

/** Shows the verdict: the sentences, the counts, and how much of the way is done. */
export function showVerdict(verdict) {
  const { state, headline, howFar } = inWords(verdict);
  board.dataset.state = state;
  setText(find('.headline', board), headline);
  setText(find('.how-far', board), howFar);
  setText(find('.to-live-text'), headline);
  for (const target of board.querySelectorAll('[data-count]')) {
    const count = verdict[target.dataset.count];
    setText(target, String(count));
    target.classList.toggle('some', count > 0);
  }
  const share = verdict.made === 0 ? 0 : verdict.arrived / verdict.made;
  find('.meter i', board).style.transform = `scaleX(${share})`;
}

function inWords({ made, arrived, onTheWay, lost, doubled, farEndSeen }) {
  const none = 'Nothing lost, nothing doubled';
  if (!farEndSeen) return { state: 'moving', headline: 'Waiting …', howFar: 'The sandbox does not answer.' };
  if (lost > 0 || doubled > 0)
    return {
      state: 'bad',
      headline: `${lost} lost, ${doubled} doubled`,
      howFar: `Of the ${made} that were made.`,
    };
  if (made === 0)
    return {
      state: 'idle',
      headline: 'Nothing has happened yet',
      howFar: 'Put something into the cart, and watch.',
    };
  if (onTheWay > 0) return { state: 'moving', headline: none, howFar: 'Some are still on the way.' };
  return { state: 'good', headline: none, howFar: allArrived(arrived) };
}

function allArrived(count) {
  return count === 1 ? 'The one call has arrived.' : `All ${count} calls have arrived.`;
}
