import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventRecord } from '../../../src/contract/record.ts';
import { dedupingRelay, type Reply } from '../../fakes/deduping-relay.ts';
import { fakeDisk, nextProcess, THIS_PROCESS } from '../../fakes/import/journal-disk.ts';
import { fakeTime } from '../../fakes/platform.ts';
import { serverWith } from '../../fakes/server-platform.ts';
import { settled } from '../../fakes/settled.ts';

const JOURNAL = './webengage.journal';
const CALLED = { userId: 'johndoe', eventName: 'Called' };

const numbersOf = (arrived: readonly { readonly record: unknown }[]) =>
  arrived.map(({ record }) => (record as EventRecord).eventData?.n);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    ({ code, message }: Error & { readonly code?: string }) => ({ code, message }),
  );

function journaled(
  {
    disk = fakeDisk(),
    time = fakeTime(),
    relay = dedupingRelay(time),
    self = THIS_PROCESS,
  }: {
    readonly disk?: ReturnType<typeof fakeDisk>;
    readonly time?: ReturnType<typeof fakeTime>;
    readonly relay?: ReturnType<typeof dedupingRelay>;
    readonly self?: typeof THIS_PROCESS;
  } = {},
  options: { readonly source?: string } = {},
) {
  return { ...serverWith({ journal: JOURNAL, ...options }, { time, relay, disk: disk.disk, self }), disk };
}

const segmentsOf = ({ files }: ReturnType<typeof fakeDisk>) =>
  [...files.keys()].filter((name) => name.endsWith('.ndjson'));

describe('with a journal', () => {
  test('a call resolves once it is on disk, also while the relay is down, and the next process sends it', async () => {
    const first = journaled();
    first.relay.replies.push(...Array<Reply>(3).fill('offline'));
    await Promise.all(upTo(10).map((n) => first.client.track({ ...CALLED, eventData: { n } })));
    expect(first.arrived()).toEqual([]);

    const disk = first.disk.afterCrash(0);
    const { time, relay } = first;
    await time.pass(60_000);
    relay.arrived.clear();
    relay.replies.splice(0);
    const second = journaled({ disk, time, relay, self: nextProcess(THIS_PROCESS) });
    await second.client.close();

    expect(numbersOf(second.arrived())).toEqual(upTo(10));
    expect(second.arrived()[0]?.record).toMatchObject({ age: 60_000 });
    expect([...disk.files.keys()]).toEqual([]);
  });

  test('calls made during a sync of the disk share the next one', async () => {
    const { client, disk } = journaled();

    await Promise.all(upTo(100).map(() => client.track(CALLED)));

    expect(disk.state.syncs).toBeLessThanOrEqual(10);
  });

  test('settled records are not sent again by the next process', async () => {
    const first = journaled();
    await first.client.track(CALLED);
    await first.client.flush();
    await settled();
    expect(first.arrived()).toHaveLength(1);

    const second = journaled({ ...first, disk: first.disk.afterCrash(1), self: nextProcess(THIS_PROCESS) });
    await second.client.close();

    expect(second.requests).toHaveLength(1);
  });

  test('a long run keeps no more on disk than a segment or two', async () => {
    const { client, disk } = journaled();
    const text = 'x'.repeat(900);

    for (let round = 0; round < 20; round++) {
      await Promise.all(upTo(200).map((n) => client.track({ ...CALLED, eventData: { n, text } })));
      await client.flush();
      await settled();
    }

    expect(segmentsOf(disk).length).toBeLessThanOrEqual(2);
    await client.close();
    expect([...disk.files.keys()]).toEqual([]);
  });

  test('a record that the relay rejects is reported, and removed', async () => {
    const { client, relay, reported, disk } = journaled();
    relay.onTheWay.answer = (body) => {
      const [{ id }] = JSON.parse(body).records;
      const rejected = [{ id, issues: [{ path: 'eventName', message: 'is not in the tracking plan' }] }];
      return Response.json({
        response: { status: 'queued' },
        accepted: 0,
        duplicates: 0,
        rejected,
        repaired: [],
      });
    };

    await client.track(CALLED);
    await client.close();

    expect(reported).toMatchObject([
      { name: 'RecordError', message: 'eventName is not in the tracking plan' },
    ]);
    expect([...disk.files.keys()]).toEqual([]);
  });

  test('a wrong token costs no record, and is reported once a minute', async () => {
    const { client, relay, reported, time, arrived } = journaled();
    relay.onTheWay.answer = () =>
      Response.json({ error: { code: 'invalid_token', message: 'no' } }, { status: 401 });

    await client.track(CALLED);
    await client.track({ ...CALLED, userId: 'janedoe' });
    await time.pass(150_000);

    expect(reported.map(({ message }) => message)).toEqual(
      Array(3).fill(
        'the relay refused the request (invalid_token): no: set token to the SERVER_TOKEN of this relay. The journal keeps the records, and they are tried again',
      ),
    );
    relay.onTheWay.answer = () => undefined;
    await time.pass(60_000);
    expect(arrived()).toHaveLength(2);
  });

  test('a relay that is down for longer than giveUpAfterMs costs no record, and is reported once a minute', async () => {
    const { client, relay, reported, time, arrived } = journaled();
    relay.onTheWay.answer = () => new Response('', { status: 502 });

    await client.track(CALLED);
    await time.pass(290_000);
    expect(reported).toEqual([]);
    await time.pass(130_000);
    expect(reported.length).toBeGreaterThan(1);
    expect(reported.length).toBeLessThan(4);

    relay.onTheWay.answer = () => undefined;
    await time.pass(60_000);
    expect(arrived()).toHaveLength(1);
  });

  test('close() leaves on disk what the relay does not take, and frees the journal', async () => {
    const first = journaled();
    first.relay.replies.push(...Array<Reply>(100).fill('offline'));
    await first.client.track(CALLED);

    const closed = first.client.close({ timeoutMs: 1_000 });
    await first.time.pass(1_000);
    await closed;
    first.relay.replies.splice(0);
    const second = journaled(first);
    await second.client.close();

    expect(second.arrived()).toHaveLength(1);
    expect(second.reported).toEqual([]);
  });
});

describe('a disk', () => {
  test.each([
    ['full', 'ENOSPC: no space left on device, write'],
    ['sync fails', 'EIO: i/o error, fsync'],
  ] as const)(
    'that fails (%s) makes a call reject with what to do, and loses no other',
    async (trouble, reason) => {
      const { client, disk, relay, time } = journaled();
      relay.replies.push(...Array<Reply>(100).fill('offline'));
      await client.track({ ...CALLED, eventData: { n: 0 } });
      disk.trouble.is = trouble;

      expect(await reasonOf(client.track({ ...CALLED, eventData: { n: 1 } }))).toEqual({
        code: 'journal',
        message: `the journal ./webengage.journal can't be written, and does not have this record: ${reason}. Make room, then call again`,
      });
      disk.trouble.is = undefined;
      await client.track({ ...CALLED, eventData: { n: 2 } });

      // Nor does the next process find the record that was refused, whole or torn.
      relay.replies.splice(0);
      const second = journaled({ disk: disk.afterCrash(1), time, relay, self: nextProcess(THIS_PROCESS) });
      await second.client.close();
      expect(second.reported).toEqual([]);
      expect(numbersOf(second.arrived())).toEqual([0, 2]);
    },
  );

  test('with a torn last line has all records before it', async () => {
    const first = journaled();
    first.relay.replies.push(...Array<Reply>(100).fill('offline'));
    await Promise.all(upTo(3).map((n) => first.client.track({ ...CALLED, eventData: { n } })));
    for (const file of first.disk.files.values())
      if (file.text !== '') {
        file.text += '{"slot":3,"id":"torn';
        file.syncedLength = file.text.length;
      }

    first.relay.replies.splice(0);
    const second = journaled({ ...first, disk: first.disk.afterCrash(1), self: nextProcess(THIS_PROCESS) });
    await second.client.close();

    expect(numbersOf(second.arrived())).toEqual(upTo(3));
    expect(second.reported).toEqual([]);
  });

  test('with a damaged line in the middle has all others, and it is reported', async () => {
    const first = journaled();
    first.relay.replies.push(...Array<Reply>(100).fill('offline'));
    await Promise.all(upTo(3).map((n) => first.client.track({ ...CALLED, eventData: { n } })));
    for (const file of first.disk.files.values()) file.text = file.text.replace('"n":1', '\0\0\0\0\0');

    first.relay.replies.splice(0);
    const second = journaled({ ...first, disk: first.disk.afterCrash(1), self: nextProcess(THIS_PROCESS) });
    await second.client.close();

    expect(numbersOf(second.arrived())).toEqual([0, 2]);
    expect(second.reported.map(({ message }) => message)).toEqual([
      'the journal ./webengage.journal is damaged (000000000001.ndjson, line 2): this record is left out',
    ]);
  });

  test('with records of another source opens only under that source', async () => {
    const first = journaled();
    first.relay.replies.push(...Array<Reply>(100).fill('offline'));
    await first.client.track(CALLED);
    const disk = first.disk.afterCrash(0);
    first.relay.replies.splice(0);

    const other = journaled({ ...first, disk, self: nextProcess(THIS_PROCESS) }, { source: 'billing' });
    expect(await reasonOf(other.client.track(CALLED))).toMatchObject({
      code: 'journal',
      message: expect.stringContaining(
        'has records of source default: let a client with that source send them',
      ),
    });
    const again = journaled({ ...first, disk, self: nextProcess(THIS_PROCESS) });
    await again.client.close();

    expect(again.arrived()).toHaveLength(1);
  });

  test('that can’t be read frees the lock', async () => {
    const disk = fakeDisk();
    disk.files.set('000000000001.ndjson', { text: '', syncedLength: 0 });
    const broken = {
      ...disk,
      disk: { ...disk.disk, read: () => Promise.reject(new Error('EIO: i/o error, read')) },
    };

    const first = journaled({ disk: broken });
    expect(await reasonOf(first.client.track(CALLED))).toMatchObject({ code: 'journal' });
    const second = journaled({ disk });

    expect(await reasonOf(second.client.track(CALLED))).toBe('resolved');
  });

  test('that can’t be opened makes each call reject, and is reported', async () => {
    const { client, reported } = serverWith({ journal: JOURNAL });

    const reason = await reasonOf(client.track(CALLED));

    expect(reason).toEqual({
      code: 'journal',
      message: "the journal ./webengage.journal can't be opened: there is no disk",
    });
    expect(reported).toHaveLength(1);
    await client.close();
  });
});

describe('a crash', () => {
  const aReply = fc.constantFrom<Reply>('settled', 'settled', 'lost', 'offline', 'unavailable');
  const aLife = fc.record({
    crashAt: fc.integer({ min: 1, max: 60 }),
    /** The share that is on disk of what was not synced. */
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    replies: fc.array(aReply, { maxLength: 4 }),
    calls: fc.array(fc.nat(3), { minLength: 1, maxLength: 12 }),
  });

  test('at any step of any process loses no call that had resolved, doubles none, and keeps the order of a person', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aLife, { minLength: 1, maxLength: 5 }), async (lives) => {
        const time = fakeTime();
        const relay = dedupingRelay(time);
        let disk = fakeDisk();
        let self = THIS_PROCESS;
        let n = 0;
        const resolved: number[] = [];
        /** Calls whose caller got no answer, and makes them again: they have a messageId. */
        let owed: { readonly n: number; readonly person: number }[] = [];

        for (const { crashAt, share, replies, calls } of lives) {
          disk.state.crashAt = crashAt;
          relay.replies.splice(0, Number.POSITIVE_INFINITY, ...replies);
          let isDead = false;
          const fetch: typeof relay.relay.fetch = (...request) =>
            isDead ? new Promise(() => {}) : relay.relay.fetch(...request);
          const { client } = journaled({
            disk,
            time,
            relay: { ...relay, relay: { ...relay.relay, fetch } },
            self,
          });
          const todo = [...owed, ...calls.map((person) => ({ n: n++, person }))];
          const open = new Map(todo.map((call) => [call.n, call]));
          for (const call of todo) {
            const event = { userId: `user ${call.person}`, eventName: 'Called', eventData: { n: call.n } };
            void client.track({ ...event, messageId: `m${call.n}` }).then(() => {
              if (!isDead && open.delete(call.n)) resolved.push(call.n);
            });
            await time.pass(call.n % 3 === 0 ? 300 : 0);
          }
          await time.pass(2_000);
          isDead = true;
          owed = [...open.values()];
          disk = disk.afterCrash(share);
          self = nextProcess(self);
        }
        relay.replies.splice(0);
        const last = journaled({ disk, time, relay, self });
        await Promise.all(
          owed.map((call) =>
            last.client.track({
              userId: `user ${call.person}`,
              eventName: 'Called',
              eventData: { n: call.n },
              messageId: `m${call.n}`,
            }),
          ),
        );
        await last.client.close();

        const arrived = last.arrived().map(({ record }) => record as EventRecord);
        expect(numbersOf(last.arrived()).toSorted((a, b) => Number(a) - Number(b))).toEqual(upTo(n));
        for (const theirs of Map.groupBy(arrived, ({ userId }) => userId).values()) {
          const numbers = theirs.map(({ eventData }) => Number(eventData?.n));
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        }
        expect([...disk.files.keys()]).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
