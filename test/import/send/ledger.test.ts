import { describe, expect, test } from 'vitest';
import { openLedger } from '../../../src/import/send/ledger/ledger.ts';
import { recordLine } from '../../../src/server/journal/segment.ts';
import { fakeRejects, JOURNAL } from '../../fakes/import/importing.ts';
import { fakeDisk, nextProcess, THIS_PROCESS } from '../../fakes/import/journal-disk.ts';

type Disk = ReturnType<typeof fakeDisk>;

const INTO = 'https://t.example.com';

const open = (
  disk: Disk,
  {
    digest = 'a-digest',
    into = INTO,
    self = THIS_PROCESS,
    rejects,
  }: {
    readonly digest?: string;
    readonly into?: string;
    readonly self?: typeof THIS_PROCESS;
    readonly rejects?: ReturnType<typeof fakeRejects>;
  } = {},
) =>
  openLedger({
    digest,
    into,
    journal: { path: JOURNAL, disk: async () => disk.disk, self: async () => self },
    ...(rejects !== undefined && { rejects: { path: 'rejects.ndjson', open: rejects.open } }),
  });

const good = (number: number) =>
  ({ number, line: number + 1, ok: true, kind: 'event', person: 'johndoe', json: '{}', bytes: 2 }) as const;
const bad = (number: number, message = 'must be an e-mail address') =>
  ({ number, line: number + 1, ok: false, issues: [{ path: 'email', message }], row: { number } }) as const;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    ({ message }) => message,
  );

describe('a journal', () => {
  test('says what earlier runs have sent and sealed, and what the destination refused', async () => {
    const disk = fakeDisk();
    const first = await open(disk);
    first.settle([1, 2, 4].map(good), 1);
    first.refuse(bad(5), 'check');
    first.refuse(bad(7), 'destination');
    await first.flush();
    first.seal([{ id: 'aa', kind: 'event', rows: [6, 8] }]);
    first.seal(
      [
        { id: 'bb', kind: 'event', rows: [6] },
        { id: 'cc', kind: 'event', rows: [8] },
      ],
      'aa',
    );
    first.settle([good(6)]);
    first.unseal('bb');
    await first.flush();

    const second = await open(disk.afterCrash(0), { self: nextProcess(THIS_PROCESS) });

    expect(upTo(9).filter(first.settled.has)).toEqual([1, 2, 4, 5, 6, 7]);
    expect(upTo(9).filter(second.settled.has)).toEqual([1, 2, 4, 6]);
    expect(second.settled.upTo()).toBe(2);
    expect(upTo(9).filter(second.refused.has)).toEqual([7]);
    expect([...second.sealed.values()]).toEqual([{ id: 'cc', kind: 'event', rows: [8] }]);
    expect(second.duplicates()).toBe(1);
    // Refused rows are checked again, and counted then.
    expect(second.report()).toMatchObject({ rows: 4, good: 4, refused: 0, reasons: [] });
  });

  test('knows the repairs of earlier runs', async () => {
    const disk = fakeDisk();
    const first = await open(disk);
    first.settle([
      good(1),
      { ...good(2), repairs: [{ path: 'phone', rule: 'must be E.164', done: 'left_out' }] },
    ]);
    await first.close();

    expect((await open(disk)).report()).toEqual(first.report());
  });

  test('skips a torn last line, and goes on behind it', async () => {
    const disk = fakeDisk();
    const first = await open(disk);
    first.settle([good(1)]);
    await first.flush();
    first.settle([good(2)]);
    await first.flush();
    for (const [name, file] of disk.files)
      if (name.endsWith('.ndjson')) {
        file.text = file.text.slice(0, -5);
        file.syncedLength = file.text.length;
      }

    const second = await open(disk.afterCrash(1), { self: nextProcess(THIS_PROCESS) });

    expect(second.settled.upTo()).toBe(1);
    second.settle([good(2)]);
    await second.close();
    expect((await open(disk.afterCrash(1), { self: nextProcess(THIS_PROCESS) })).settled.upTo()).toBe(1);
  });

  test('with a damaged line in its middle is refused, with the place', async () => {
    const disk = fakeDisk();
    const first = await open(disk);
    for (const number of upTo(4)) {
      first.settle([good(number)]);
      await first.flush();
    }
    await first.close();
    for (const file of disk.files.values()) file.text = file.text.replace('"sent":"3"', '\0\0\0');

    expect(await reasonOf(open(disk))).toBe(
      `the journal ${JOURNAL} can't be opened: line 3 of 000000000001.ndjson is damaged. A journal is a folder: name another one with --journal`,
    );
    // The lock is free again.
    expect([...disk.files.keys()]).toEqual(['000000000001.ndjson']);
  });

  test('of a server is refused, and keeps its records', async () => {
    const disk = fakeDisk();
    const text = recordLine({ slot: 0, id: 'an-id', at: 1, source: 'default', json: '{"kind":"event"}' });
    for (const name of ['000000000001.ndjson', '000000000002.ndjson'])
      disk.files.set(name, { text, syncedLength: text.length });

    expect(await reasonOf(open(disk))).toBe(
      `the journal ${JOURNAL} can't be opened: 000000000002.ndjson was not written by an import of this version. A journal is a folder: name another one with --journal`,
    );
    expect([...disk.files.values()].map((file) => file.text)).toEqual([text, text]);
  });

  test('of another file, or into another relay, is refused with the remedy', async () => {
    const disk = fakeDisk();
    const first = await open(disk);
    first.settle([good(1)]);
    await first.close();

    expect(await reasonOf(open(disk, { digest: 'other' }))).toBe(
      `the journal ${JOURNAL} belongs to another import: the file, or a flag that decides what becomes of its rows, has changed. Go on with the old ones, name another journal with --journal, or remove this one to begin anew`,
    );
    expect(await reasonOf(open(disk, { into: 'https://other.example.com' }))).toBe(
      `the journal ${JOURNAL} belongs to an import into ${INTO}: go on with that one, or name another journal with --journal`,
    );
    expect((await open(disk)).settled.upTo()).toBe(1);
  });

  test('is for one run at a time', async () => {
    const disk = fakeDisk();
    await open(disk);

    const other = { ...THIS_PROCESS, pid: 13, isRunning: () => true };

    expect(await reasonOf(open(disk, { self: other }))).toContain('process 12 on box uses it');
  });

  test('stays small however long the import is', async () => {
    const disk = fakeDisk();
    const ledger = await open(disk);

    for (let from = 1; from <= 400_000; from += 400) {
      // As of a slot: every sixteenth row.
      ledger.settle(upTo(400).map((n) => good(from + n - 1)));
      ledger.refuse(bad(1_000_000 + from, `must not be ${from}`), 'destination');
      await ledger.flush();
    }

    const sizes = [...disk.files.values()].map(({ text }) => text.length);
    expect(Math.max(...sizes)).toBeLessThan(2 * 1024 * 1024);
    expect(sizes.length).toBeLessThanOrEqual(3);
    await ledger.remove();
    expect([...disk.files.keys()]).toEqual([]);
  });

  test('with many gaps is rewritten no sooner than it has doubled', async () => {
    const disk = fakeDisk();
    const ledger = await open(disk);
    const odd = (count: number, from = 0) =>
      upTo(count)
        .map((n) => good(from + 2 * n - 1))
        .filter(({ number }) => number > from);

    // Some 3 MB, and as much again in lines of changes.
    ledger.settle(odd(400_000));
    await ledger.flush();
    const [before] = [...disk.files.keys()].filter((name) => name.endsWith('.ndjson'));
    for (let from = 800_000; from < 1_200_000; from += 20_000) {
      ledger.settle(odd(10_000, from));
      await ledger.flush();
    }

    expect([...disk.files.keys()]).toContain(before);
  });

  test('calls of flush during a write share the next one', async () => {
    const disk = fakeDisk();
    const ledger = await open(disk);

    await Promise.all(
      upTo(100).map((number) => {
        ledger.settle([good(number)]);
        return ledger.flush();
      }),
    );

    expect(disk.state.syncs).toBeLessThanOrEqual(3);
  });

  test.each(['full', 'sync fails'] as const)('on a disk that fails (%s) loses nothing', async (trouble) => {
    const disk = fakeDisk();
    const first = await open(disk);
    first.settle([good(1)]);
    await first.flush();

    disk.trouble.is = trouble;
    first.settle([good(2)]);
    expect(await reasonOf(first.flush())).toContain(`the journal ${JOURNAL} can't be written: E`);
    disk.trouble.is = undefined;
    // A line behind a torn one would be lost.
    expect(await reasonOf(first.flush())).toContain("can't be written");
    expect(await reasonOf(first.close())).toContain("can't be written");

    const second = await open(disk);
    expect(second.settled.upTo()).toBeGreaterThanOrEqual(1);
    second.settle([good(2)]);
    await second.close();
    expect((await open(disk)).settled.upTo()).toBe(2);
  });
});

describe('the file of refused rows', () => {
  test('has what the last run has refused, each row once', async () => {
    const disk = fakeDisk();
    const rejects = fakeRejects('of an earlier import\n');
    const first = await open(disk, { rejects });
    for (const number of [1, 2]) first.refuse(bad(number), 'check');
    await first.close();
    expect(rejects.file.text.split('\n')).toHaveLength(3);

    const second = await open(disk, { rejects });
    second.refuse(bad(2), 'check');
    await second.close();

    expect(rejects.file.text).toBe(
      `${JSON.stringify({
        number: 2,
        line: 3,
        reasons: ['email must be an e-mail address'],
        row: { number: 2 },
      })}\n`,
    );
  });

  test('that can’t be written stops the import, with its name', async () => {
    const rejects = fakeRejects();
    const ledger = await open(fakeDisk(), { rejects });
    rejects.trouble.is = 'ENOSPC: no space left on device, write';
    ledger.refuse(bad(1), 'check');

    expect(await reasonOf(ledger.flush())).toBe(
      "rejects.ndjson can't be written: ENOSPC: no space left on device, write. Make room, then run the same command again: no row is lost",
    );
  });
});
