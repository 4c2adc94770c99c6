import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Upstream } from '../../../src/edge/delivery/webengage.ts';
import { type FakeRow, fakeRejects, fakeSource, importDirectly } from '../../fakes/import/importing.ts';
import { fakeDisk, nextProcess, THIS_PROCESS } from '../../fakes/import/journal-disk.ts';
import { type CallReply, webEngageAccount } from '../../fakes/import/webengage-account.ts';
import { fakeTime } from '../../fakes/platform.ts';

const PEOPLE = 8;
const MINUTE_MS = 60_000;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const rowsOf = (count: number, row: Partial<FakeRow> = {}): FakeRow[] =>
  upTo(count).map((n) => ({ person: `user ${n}`, ...row }));
const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

type Account = ReturnType<typeof webEngageAccount>;

const numbersAt = ({ taken }: Account) => taken.map(({ n }) => n);

function played() {
  const time = fakeTime();
  return { time, account: webEngageAccount(time), disk: fakeDisk() };
}

/** The most calls in any 60 seconds. */
const busiestMinute = ({ calls }: Account) =>
  Math.max(
    0,
    ...calls.map(({ at }) => calls.filter((call) => call.at >= at && call.at < at + MINUTE_MS).length),
  );

function outOfOrder({ taken }: Account): readonly (readonly number[])[] {
  return [...Map.groupBy(taken, ({ userId }) => userId).values()]
    .map((rows) => rows.map(({ n }) => n))
    .filter((numbers) => numbers.some((n, index) => n < (numbers[index - 1] ?? 0)));
}

describe('a direct import', () => {
  test('sends batches of 25 at the rate it is given, and uses 95 % of it', async () => {
    const { time, account, disk } = played();
    const source = fakeSource(rowsOf(25_000));

    const run = await importDirectly({ source, time, disk }, account.upstream, 250);
    expect(await run.finish()).toEqual({ kind: 'complete' });

    expect(account.calls.every(({ rows }) => rows.length === 25)).toBe(true);
    expect(sorted(numbersAt(account))).toEqual(upTo(25_000));
    const busiest = busiestMinute(account);
    expect(busiest).toBeLessThanOrEqual(250);
    expect(busiest).toBeGreaterThanOrEqual(0.95 * 250);
  });

  test('keeps its journal after a complete run: a second run sends nothing', async () => {
    const { time, account, disk } = played();
    const source = fakeSource(rowsOf(30));
    const kept = { source, time, disk, removesJournal: false };

    await (await importDirectly(kept, account.upstream)).finish();
    const again = await importDirectly(kept, account.upstream);

    expect(again.ledger.settled.size()).toBe(30);
    expect(await again.finish()).toEqual({ kind: 'complete' });
    expect(numbersAt(account)).toHaveLength(30);
    expect(source.reads).toEqual([upTo(30)]);
  });

  test('sends a call with a lost answer again under its id, with the same rows', async () => {
    const { time, account, disk } = played();
    account.replies.push('lost', 'down', 'page', 'taken');

    const run = await importDirectly({ source: fakeSource(rowsOf(20)), time, disk }, account.upstream);
    await run.finish();

    expect(account.calls).toHaveLength(4);
    expect(new Set(account.calls.map(({ requestId }) => requestId)).size).toBe(1);
    expect(account.calls[0]?.requestId).toMatch(/^[\da-f]{32}$/);
    expect(numbersAt(account)).toEqual(upTo(20));
  });

  test('is sealed on disk before a call leaves', async () => {
    const { time, account, disk } = played();
    const sealedAtCall: boolean[] = [];
    const upstream: Upstream = (call) => {
      const crashed = [...disk.afterCrash(0).files.values()].map(({ text }) => text).join('');
      sealedAtCall.push(crashed.includes(call.requestId));
      return account.upstream(call);
    };

    const run = await importDirectly({ source: fakeSource(rowsOf(200)), time, disk }, upstream);
    await run.finish();

    expect(sealedAtCall).toEqual(Array(8).fill(true));
  });

  test('pauses all calls after a 429, for as long as it asks', async () => {
    const { time, account, disk } = played();
    account.replies.push('429');

    const run = await importDirectly({ source: fakeSource(rowsOf(500)), time, disk }, account.upstream, 60);
    await run.finish();

    const [first, second] = account.calls;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(7_000);
    expect(sorted(numbersAt(account))).toEqual(upTo(500));
  });

  test('finds a row that WebEngage refuses within eleven calls, and loses no other', async () => {
    for (const poison of upTo(25)) {
      const { time, account, disk } = played();
      account.rules.refuses = ({ n }) => n === poison;

      const run = await importDirectly({ source: fakeSource(rowsOf(25)), time, disk }, account.upstream);

      expect(await run.finish()).toEqual({ kind: 'complete' });
      expect(sorted(numbersAt(account))).toEqual(upTo(25).filter((n) => n !== poison));
      expect(account.calls.length).toBeLessThanOrEqual(11);
      expect(run.ledger.report()).toMatchObject({
        good: 24,
        reasons: [
          {
            message: 'was refused by WebEngage (status 400: a record is invalid)',
            rows: 1,
            firstRows: [poison],
          },
        ],
      });
    }
  });

  test('rows that an earlier run refused are checked again, and sent if they pass now', async () => {
    const { time, account, disk } = played();
    const rejects = fakeRejects();
    const rows = rowsOf(30);
    const strict = fakeSource(
      rows.map((row, index) => ([2, 6].includes(index) ? { ...row, issue: 'is old' } : row)),
    );
    const lenient = fakeSource(rows.map((row, index) => (index === 6 ? { ...row, issue: 'is wrong' } : row)));
    const kept = { time, disk, rejects, removesJournal: false };

    await (await importDirectly({ ...kept, source: strict }, account.upstream)).finish();
    expect(sorted(numbersAt(account))).toEqual(upTo(30).filter((n) => n !== 3 && n !== 7));
    const next = await importDirectly({ ...kept, source: lenient }, account.upstream);
    expect(await next.finish()).toEqual({ kind: 'complete' });

    expect(lenient.reads).toEqual([[3, 7]]);
    expect(sorted(numbersAt(account))).toEqual(upTo(30).filter((n) => n !== 7));
    expect(next.ledger.report()).toMatchObject({
      good: 29,
      refused: 1,
      reasons: [{ message: 'is wrong', rows: 1, firstRows: [7] }],
    });
    expect(JSON.parse(rejects.file.text)).toMatchObject({ number: 7 });
  });

  test('many rows that WebEngage has refused are refused again, and don’t stop the next run', async () => {
    const { time, account, disk } = played();
    account.rules.refuses = ({ n }) => n % 2 === 0;
    const kept = { source: fakeSource(rowsOf(100)), time, disk, removesJournal: false };

    await (await importDirectly(kept, account.upstream)).finish();
    const next = await importDirectly(kept, account.upstream);

    expect(await next.finish()).toEqual({ kind: 'complete' });
    expect(sorted(numbersAt(account))).toEqual(upTo(100).filter((n) => n % 2 === 1));
    expect(next.ledger.report()).toMatchObject({ good: 50, refused: 50 });
  });

  test('learns from 413 how large a call may be', async () => {
    const { time, account, disk } = played();
    account.rules.maxBytes = 20_000;
    const source = fakeSource(rowsOf(500, { data: { text: 'x'.repeat(1_900) }, bytes: 2_000 }));

    const run = await importDirectly({ source, time, disk }, account.upstream);
    await run.finish();

    expect(sorted(numbersAt(account))).toEqual(upTo(500));
    const large = account.calls.filter(({ rows }) => rows.length > 10);
    // Those that were under way when the first answer came, and their halves.
    expect(large.length).toBeLessThanOrEqual(18);
  });

  test('refuses a single row that is too large', async () => {
    const { time, account, disk } = played();
    account.rules.maxBytes = 10_000;
    const rows = rowsOf(20);
    rows[4] = { person: 'user 5', data: { text: 'x'.repeat(11_000) } };

    const run = await importDirectly({ source: fakeSource(rows), time, disk }, account.upstream);

    expect(await run.finish()).toEqual({ kind: 'complete' });
    expect(run.ledger.report()).toMatchObject({ good: 19, reasons: [{ firstRows: [5] }] });
  });

  test.each(['401', '403'] as const)('stops at a %s, and refuses no row', async (reply) => {
    const { time, account, disk } = played();
    account.replies.push(reply);

    const run = await importDirectly({ source: fakeSource(rowsOf(20)), time, disk }, account.upstream);

    expect(await run.finish()).toEqual({
      kind: 'failed',
      message: `WebEngage refuses the calls (status ${reply}: no): check WEBENGAGE_API_KEY, --license-code and --region`,
    });
    expect(account.calls).toHaveLength(1);
    expect(run.ledger.report()).toMatchObject({ rows: 0 });
    // The next run may go to another account.
    expect([...disk.files.keys()]).toEqual([]);
  });

  test('that stops after a call with a lost answer keeps its seal', async () => {
    const { time, account, disk } = played();
    const source = fakeSource(rowsOf(20));
    account.replies.push('lost', '401');

    const run = await importDirectly({ source, time, disk }, account.upstream);
    expect(await run.finish()).toMatchObject({ kind: 'failed' });
    const next = await importDirectly({ source, time, disk }, account.upstream);
    expect(await next.finish()).toEqual({ kind: 'complete' });

    expect(new Set(account.calls.map(({ requestId }) => requestId)).size).toBe(1);
    expect(numbersAt(account)).toEqual(upTo(20));
  });

  test('sends a sealed row that has meanwhile become too old, in the same batch under the same id', async () => {
    const { time, account, disk } = played();
    const rows = rowsOf(20);
    account.replies.push('lost', '401');
    const source = fakeSource(rows);
    await (await importDirectly({ source, time, disk }, account.upstream)).finish();
    const tooOld = rows.map((row, index) => (index === 3 ? { ...row, issue: 'is too old' } : row));

    const later = { ...fakeSource(tooOld), readAgain: source.readAgain };
    const next = await importDirectly({ source: later, time, disk }, account.upstream);
    expect(await next.finish()).toEqual({ kind: 'complete' });

    expect(account.calls.map(({ rows }) => rows.length)).toEqual([20, 20, 20]);
    expect(new Set(account.calls.map(({ requestId }) => requestId)).size).toBe(1);
    expect(account.changed).toEqual([]);
    expect(next.ledger.report()).toMatchObject({ good: 20, refused: 0 });
  });

  test('takes refusals without a success for a wrong license code, and refuses no row', async () => {
    const { time, account, disk } = played();
    account.rules.refuses = () => true;
    const source = fakeSource(rowsOf(100));

    const run = await importDirectly({ source, time, disk }, account.upstream);
    expect(await run.finish()).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('--license-code'),
    });
    expect(run.ledger.report()).toMatchObject({ rows: 0 });
    expect(account.calls.length).toBeLessThan(100);

    account.rules.refuses = () => false;
    const next = await importDirectly({ source, time, disk }, account.upstream);
    expect(await next.finish()).toEqual({ kind: 'complete' });
    expect(sorted(numbersAt(account))).toEqual(upTo(100));
    expect(account.changed).toEqual([]);
  });

  test('makes no call when the disk is full, names the journal, and the next run goes on', async () => {
    const { time, account, disk } = played();
    const source = fakeSource(rowsOf(100));
    disk.trouble.is = 'full';

    const run = await importDirectly({ source, time, disk }, account.upstream);
    expect(await run.finish()).toEqual({
      kind: 'failed',
      message:
        "the journal users.csv.webengage-journal can't be written: ENOSPC: no space left on device, write. Make room, then run the same command again: no row is lost",
    });
    expect(account.calls).toEqual([]);

    disk.trouble.is = undefined;
    const next = await importDirectly({ source, time, disk }, account.upstream);
    expect(await next.finish()).toEqual({ kind: 'complete' });
    expect(sorted(numbersAt(account))).toEqual(upTo(100));
  });

  test('users and events of one person keep their order', async () => {
    const { time, account, disk } = played();
    const rows = upTo(200).map(
      (n): FakeRow => ({ person: `user ${n % 3}`, kind: n % 5 === 0 ? 'user' : 'event' }),
    );
    account.replies.push('slow', 'down', 'lost', 'slow');

    const run = await importDirectly({ source: fakeSource(rows), time, disk }, account.upstream);
    await run.finish();

    expect(sorted(numbersAt(account))).toEqual(upTo(200));
    expect(outOfOrder(account)).toEqual([]);
  });
});

describe('a crash', () => {
  const aReply = fc.constantFrom<CallReply>(
    'taken',
    'taken',
    'slow',
    'lost',
    'cut',
    'down',
    'page',
    '429',
    '413',
  );
  const aRow = fc.record({
    person: fc.nat(PEOPLE - 1).map((n) => `user ${n}`),
    isPoison: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    kind: fc.constantFrom<'user' | 'event'>('event', 'event', 'event', 'user'),
  });
  const aLife = fc.record({
    crashAtStep: fc.integer({ min: 1, max: 80 }),
    crashAtCall: fc.integer({ min: 1, max: 20 }),
    isCallTaken: fc.boolean(),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    replies: fc.array(aReply, { maxLength: 8 }),
  });

  test('at any step of any run costs no row, doubles none, keeps the order of a person, and changes no call', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(aRow, { minLength: 1, maxLength: 120 }),
        fc.array(aLife, { maxLength: 4 }),
        async (rows, lives) => {
          const time = fakeTime();
          const account = webEngageAccount(time);
          account.rules.refuses = ({ n }) => rows[n - 1]?.isPoison ?? false;
          const good = rows.flatMap(({ isPoison }, index) => (isPoison ? [] : [index + 1]));
          fc.pre(good.length > 0);
          const source = fakeSource(rows);
          let disk = fakeDisk();
          let self = THIS_PROCESS;

          for (const { crashAtStep, crashAtCall, isCallTaken, share, replies } of lives) {
            disk.state.crashAt = crashAtStep;
            account.replies.splice(0, Number.POSITIVE_INFINITY, ...replies);
            let calls = 0;
            let isDead = false;
            const mortal: Upstream = async (call) => {
              calls += 1;
              if (calls > crashAtCall || isDead) return new Promise(() => {});
              if (calls < crashAtCall) return account.upstream(call);
              isDead = true;
              if (isCallTaken) await account.upstream(call);
              return new Promise(() => {});
            };
            void importDirectly({ source, time, disk, self, removesJournal: false }, mortal, 5_000);
            await time.pass(100_000);
            isDead = true;
            disk = disk.afterCrash(share);
            self = nextProcess(self);
          }
          account.replies.splice(0);
          const last = await importDirectly(
            { source, time, disk, self, removesJournal: false },
            account.upstream,
            5_000,
          );
          expect(await last.finish()).toEqual({ kind: 'complete' });

          expect(sorted(numbersAt(account))).toEqual(good);
          expect(outOfOrder(account)).toEqual([]);
          expect(account.changed).toEqual([]);
          expect(last.ledger.report()).toMatchObject({
            good: good.length,
            refused: rows.length - good.length,
          });
        },
      ),
      { numRuns: 200 },
    );
  });
});
