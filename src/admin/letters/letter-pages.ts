import type { Letter, LetterPage } from '../../edge/operator/routes.ts';
import type { Outcome } from '../client.ts';

/**
 * As many letters as asked for, or all there are, page by page from the first.
 * One page that fails fails the whole: half a list would look like the list.
 */
export async function readLetters(
  readPage: (after: string | null) => Promise<Outcome<LetterPage>>,
  atLeast: number,
): Promise<Outcome<LetterPage>> {
  let read: LetterPage = { letters: [], next: null };
  do {
    const outcome = await readPage(read.next);
    if (outcome.kind !== 'ok') return outcome;
    read = joined(read.letters, outcome.body);
  } while (read.next !== null && read.letters.length < atLeast);
  return { kind: 'ok', body: read };
}

/** A page after those before it. A letter that both have is shown once. */
export function joined(before: readonly Letter[], page: LetterPage): LetterPage {
  const known = new Set(before.map(({ id }) => id));
  return { letters: [...before, ...page.letters.filter(({ id }) => !known.has(id))], next: page.next };
}
