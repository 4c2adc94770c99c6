import { expect, test } from 'vitest';
import type { Outcome } from '../../../src/admin/client.ts';
import { joined, readLetters } from '../../../src/admin/letters/letter-pages.ts';
import type { LetterPage } from '../../../src/edge/operator/routes.ts';
import { letter } from '../letter.ts';

const page = (ids: readonly string[], next: string | null): LetterPage => ({
  letters: ids.map((id) => letter({ id })),
  next,
});

/** Pages by cursor, the first under `null`; remembers what it was asked. */
function pages(byCursor: ReadonlyMap<string | null, LetterPage>) {
  const asked: (string | null)[] = [];
  return {
    asked,
    read: async (after: string | null): Promise<Outcome<LetterPage>> => {
      asked.push(after);
      const body = byCursor.get(after);
      return body === undefined ? { kind: 'failed', reason: 'no such page' } : { kind: 'ok', body };
    },
  };
}

const THREE = new Map([
  [null, page(['1', '2'], 'b')],
  ['b', page(['3', '4'], 'c')],
  ['c', page(['5'], null)],
]);

test('as many pages are read as needed', async () => {
  const { asked, read } = pages(THREE);

  const outcome = await readLetters(read, 3);

  expect(asked).toEqual([null, 'b']);
  expect(outcome).toMatchObject({ kind: 'ok', body: { next: 'c' } });
  expect(outcome.kind === 'ok' && outcome.body.letters.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
});

test('reading ends with the last page, however many were requested', async () => {
  const { asked, read } = pages(THREE);

  const outcome = await readLetters(read, 1_000);

  expect(asked).toEqual([null, 'b', 'c']);
  expect(outcome).toMatchObject({ kind: 'ok', body: { next: null } });
});

test('half a list is not shown as the list', async () => {
  const { read } = pages(new Map([[null, page(['1'], 'lost')]]));

  expect(await readLetters(read, 10)).toEqual({ kind: 'failed', reason: 'no such page' });
});

test('a letter on two pages is shown once', () => {
  const both = joined(page(['1', '2'], 'b').letters, page(['2', '3'], null));

  expect(both.letters.map(({ id }) => id)).toEqual(['1', '2', '3']);
  expect(both.next).toBe(null);
});
