import { expect, test } from 'vitest';
import { lookoutOver } from '../../../src/tracker/delivery/sendable.ts';
import { memoryStorage } from '../../../src/tracker/store/memory-store.ts';
import { eventRecord } from '../../fakes/records.ts';

const NOW = 1_000_000_000_000;
const entriesOf = (userId: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => ({ at: NOW, record: eventRecord(from + n, { userId }) }));
const withTokensOf = (...users: string[]) => ({
  userOf: ({ userId }: { readonly userId?: string | undefined }) => userId,
  of: (userId: string) => (users.includes(userId) ? 'token' : undefined),
});
const seqsOf = (records: readonly { readonly record: { readonly id: string } }[]) =>
  records.map(({ record }) => Number(record.id.split('.')[1]));

const held = { found: () => {} };

test('a database that was deleted and made anew, with keys from the start, is looked through from its start', async () => {
  let storage = memoryStorage();
  const current = {
    peek: (...which: Parameters<typeof storage.peek>) => storage.peek(...which),
    get: (name: string) => storage.get(name),
  };
  const lookout = lookoutOver(current, withTokensOf('bob'), held, 1_000, () => NOW);
  await storage.append([...entriesOf('ann', 1, 40), ...entriesOf('bob', 41, 41)]);
  expect(seqsOf(await lookout.look(25))).toEqual([41]);

  storage = memoryStorage();
  await storage.append(entriesOf('bob', 1, 3));

  expect(seqsOf(await lookout.look(25))).toEqual([1, 2, 3]);
});

test('records are found behind as many as there are that are passed over, and before them once their token is there', async () => {
  const storage = memoryStorage();
  const users = ['bob'];
  const of = (userId: string) => (users.includes(userId) ? 'token' : undefined);
  const lookout = lookoutOver(storage, { ...withTokensOf(), of }, held, 1_000, () => NOW);
  await storage.append([...entriesOf('ann', 1, 60), ...entriesOf('bob', 61, 62)]);
  const before = await lookout.look(25);
  users.push('ann');
  const after = await lookout.look(25);

  expect(seqsOf(before)).toEqual([61, 62]);
  expect(seqsOf(after)).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
});

test('a token that comes in the midst of a look lets nobody’s later records overtake theirs that were passed over', async () => {
  const storage = memoryStorage();
  const users: string[] = [];
  const of = (userId: string) => (users.includes(userId) ? 'token' : undefined);
  // As IndexedDB does, which reads a few rows at a time.
  const peek: typeof storage.peek = (limit, from, wanted) =>
    storage.peek(limit, from, (entry) => {
      if (entry.record.id.endsWith('.3')) users.push('ann');
      return wanted?.(entry) ?? true;
    });
  const lookout = lookoutOver({ peek, get: storage.get }, { ...withTokensOf(), of }, held, 1_000, () => NOW);
  await storage.append(entriesOf('ann', 1, 6));

  expect(seqsOf(await lookout.look(25))).toEqual([]);
  expect(seqsOf(await lookout.look(25))).toEqual([1, 2, 3, 4, 5, 6]);
});

test('what was seen last is known of, though it has been settled since', async () => {
  const storage = memoryStorage();
  const sights: (number | undefined)[] = [];
  const found = ({ lastKey }: { readonly lastKey: number | undefined }) => void sights.push(lastKey);
  const lookout = lookoutOver(storage, withTokensOf('bob'), { found }, 1_000, () => NOW);
  const { records } = await storage.append([...entriesOf('ann', 1, 1), ...entriesOf('bob', 2, 2)]);
  await storage.remove(await lookout.look(25), 'delivered');
  await lookout.look(25);

  expect(sights).toEqual([records[1]?.key, records[1]?.key]);
});
