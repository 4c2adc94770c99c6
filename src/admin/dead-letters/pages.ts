import type { DeadLetterPage, ListedDeadLetter } from '../../edge/operator/routes.ts';
import type { Outcome } from '../client.ts';

/**
 * As many letters as asked for, or all there are, page by page from the first.
 * One page that fails fails the whole: half a list would look like the list.
 */
export async function readDeadLetters(
  readPage: (after: string | null) => Promise<Outcome<DeadLetterPage>>,
  atLeast: number,
): Promise<Outcome<DeadLetterPage>> {
  let read: DeadLetterPage = { deadLetters: [], next: null };
  do {
    const outcome = await readPage(read.next);
    if (outcome.kind !== 'ok') return outcome;
    read = joined(read.deadLetters, outcome.body);
  } while (read.next !== null && read.deadLetters.length < atLeast);
  return { kind: 'ok', body: read };
}

/** A page after those before it. A letter that both have is shown once. */
export function joined(before: readonly ListedDeadLetter[], page: DeadLetterPage): DeadLetterPage {
  const known = new Set(before.map(({ id }) => id));
  return {
    deadLetters: [...before, ...page.deadLetters.filter(({ id }) => !known.has(id))],
    next: page.next,
  };
}
