import { expect, test } from 'vitest';
import type { Outcome } from '../../../src/admin/client.ts';
import { joined, readDeadLetters } from '../../../src/admin/dead-letters/pages.ts';
import type { DeadLetterPage } from '../../../src/edge/operator/routes.ts';
import { deadLetter } from '../dead-letter.ts';

const page = (ids: readonly string[], next: string | null): DeadLetterPage => ({
  deadLetters: ids.map((id) => deadLetter({ id })),
  next,
});

/** Pages by cursor, the first under `null`; remembers what it was asked. */
function pages(byCursor: ReadonlyMap<string | null, DeadLetterPage>) {
  const asked: (string | null)[] = [];
  return {
    asked,
    read: async (after: string | null): Promise<Outcome<DeadLetterPage>> => {
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

  const outcome = await readDeadLetters(read, 3);

  expect(asked).toEqual([null, 'b']);
  expect(outcome).toMatchObject({ kind: 'ok', body: { next: 'c' } });
  expect(outcome.kind === 'ok' && outcome.body.deadLetters.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
});

test('reading ends with the last page, however many were requested', async () => {
  const { asked, read } = pages(THREE);

  const outcome = await readDeadLetters(read, 1_000);

  expect(asked).toEqual([null, 'b', 'c']);
  expect(outcome).toMatchObject({ kind: 'ok', body: { next: null } });
});

test('half a list is not shown as the list', async () => {
  const { read } = pages(new Map([[null, page(['1'], 'lost')]]));

  expect(await readDeadLetters(read, 10)).toEqual({ kind: 'failed', reason: 'no such page' });
});

test('a letter on two pages is shown once', () => {
  const both = joined(page(['1', '2'], 'b').deadLetters, page(['2', '3'], null));

  expect(both.deadLetters.map(({ id }) => id)).toEqual(['1', '2', '3']);
  expect(both.next).toBe(null);
});
