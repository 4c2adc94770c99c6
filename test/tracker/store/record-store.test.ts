import { expect, test } from 'vitest';
import { NO_VISITOR } from '../../../src/tracker/record/visitor.ts';
import { memoryStore } from '../../../src/tracker/store/memory-store.ts';
import { COUNTS, VISITOR } from '../../../src/tracker/store/record-store.ts';
import { storedEntry } from '../../fakes/records.ts';

/** A store that held a record when the visitor opted out. */
async function optedOut() {
  const store = memoryStore();
  const { entries } = await store.append((visitor) => ({
    visitor,
    entries: [storedEntry(1)],
    clears: false,
  }));
  await store.append(() => ({ visitor: { ...NO_VISITOR, choices: 1 }, entries: [], clears: true }));
  return { store, entries };
}

test('a value that another tab changes after an opt-out is not stored', async () => {
  const { store } = await optedOut();

  await store.update('rate', () => ({ fullAt: 1, failures: 0 }));

  expect(await store.get('rate')).toBeUndefined();
});

test('a record that another tab settles after an opt-out leaves no count, and the mark stays', async () => {
  const { store, entries } = await optedOut();
  const mark = await store.get(VISITOR);

  await store.remove(entries, () => 'rejected');

  expect(await store.get(COUNTS)).toBeUndefined();
  expect(await store.get(VISITOR)).toEqual(mark);
});
