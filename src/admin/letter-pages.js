/** @import { Letter, Outcome, Page } from './relay.js' */

/**
 * As many letters as asked for, or all there are, page by page from the first.
 * What fails on the way fails the whole: half a list would look like the list.
 *
 * @param {(after: string | null) => Promise<Outcome<Page>>} readPage
 * @param {number} atLeast
 * @returns {Promise<Outcome<Page>>}
 */
export async function readLetters(readPage, atLeast) {
  /** @type {Page} */
  let read = { letters: [], next: null };
  do {
    const outcome = await readPage(read.next);
    if (outcome.kind !== 'ok') return outcome;
    read = joined(read.letters, outcome.body);
  } while (read.next !== null && read.letters.length < atLeast);
  return { kind: 'ok', body: read };
}

/**
 * A page after those before it. A letter that both have is shown once.
 *
 * @param {readonly Letter[]} before
 * @param {Page} page
 * @returns {Page}
 */
export function joined(before, page) {
  const known = new Set(before.map(({ id }) => id));
  return { letters: [...before, ...page.letters.filter(({ id }) => !known.has(id))], next: page.next };
}
