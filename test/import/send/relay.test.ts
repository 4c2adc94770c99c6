import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventRecord } from '../../../src/contract/record.ts';
import { dedupingRelay, type Reply } from '../../fakes/deduping-relay.ts';
import {
  type FakeRow,
  fakeRejects,
  fakeSource,
  importToRelay,
  TARGET,
} from '../../fakes/import/importing.ts';
import { fakeDisk, nextProcess, THIS_PROCESS } from '../../fakes/import/journal-disk.ts';
import { fakeTime } from '../../fakes/platform.ts';

const PEOPLE = 6;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const rowsOf = (count: number, row: Partial<FakeRow> = {}): FakeRow[] =>
  upTo(count).map((n) => ({ person: `user ${n % PEOPLE}`, ...row }));

type Relay = ReturnType<typeof dedupingRelay>;

const arrivedAt = ({ arrived }: Relay) => [...arrived.values()].map(({ record }) => record as EventRecord);
const numbersAt = (relay: Relay) => arrivedAt(relay).map(({ eventData }) => Number(eventData?.n));
const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

/** What did not arrive in the order of the file, by person. */
function outOfOrder(relay: Relay): readonly (readonly number[])[] {
  const byPerson = Map.groupBy(arrivedAt(relay), ({ userId }) => userId);
  return [...byPerson.values()]
    .map((records) => records.map(({ eventData }) => Number(eventData?.n)))
    .filter((numbers) => numbers.some((n, index) => n < (numbers[index - 1] ?? 0)));
}

function played() {
  const time = fakeTime();
  return { time, relay: dedupingRelay(time) };
}

describe('an import through a relay', () => {
  test('goes by the import lane, from 16 devices, with the row’s number in each id', async () => {
    const { time, relay } = played();
    const people = upTo(2_000).map((n) => ({ person: `user ${n}` }));

    const run = await importToRelay({ source: fakeSource(people), time }, relay.relay.fetch);
    expect(await run.finish()).toEqual({ kind: 'complete' });

    const bodies = relay.requests.map(({ init }) => JSON.parse(String(init.body)));
    expect(new Set(bodies.map(({ lane }) => lane))).toEqual(new Set(['import']));
    expect(new Set(bodies.map(({ device }) => device)).size).toBe(16);
    const ids = arrivedAt(relay).map(({ id, eventData }) => [id.split('.')[1], String(eventData?.n)]);
    expect(ids.filter(([seq, n]) => seq !== n)).toEqual([]);
    expect(sorted(numbersAt(relay))).toEqual(upTo(2_000));
    expect(relay.requests[0]?.init.headers).toMatchObject({ Authorization: `Bearer ${TARGET.token}` });
  });

  test('sends up to 400 rows a request, and no more bytes than a relay reads', async () => {
    const { time, relay } = played();
    const small = rowsOf(2_000, { person: 'johndoe' });
    const large = rowsOf(20, { person: 'johndoe', bytes: 30_000 });

    const first = await importToRelay({ source: fakeSource(small), time }, relay.relay.fetch);
    await first.finish();
    expect(relay.requests.map(({ records }) => records.length)).toEqual(Array(5).fill(400));
    relay.requests.splice(0);
    const second = await importToRelay({ source: fakeSource(large, 'other'), time }, relay.relay.fetch);
    await second.finish();

    expect(relay.requests.map(({ records }) => records.length)).toEqual(Array(5).fill(4));
  });

  test('a second run is known to the relay, row by row', async () => {
    const { time, relay } = played();
    const source = fakeSource(rowsOf(100));

    await (await importToRelay({ source, time }, relay.relay.fetch)).finish();
    const again = await importToRelay({ source, time }, relay.relay.fetch);
    await again.finish();

    expect(numbersAt(relay)).toHaveLength(100);
    expect(again.ledger.report()).toMatchObject({ rows: 100, good: 100, refused: 0 });
    expect(again.ledger.duplicates()).toBe(100);
  });

  test('another file is new to the relay', async () => {
    const { time, relay } = played();

    for (const digest of ['one', 'other'])
      await (
        await importToRelay({ source: fakeSource(rowsOf(10), digest), time }, relay.relay.fetch)
      ).finish();

    expect(numbersAt(relay)).toHaveLength(20);
  });

  test('waits for as long as the import lane asks for, without an error', async () => {
    const { time, relay } = played();
    const replies = Array<Reply>(200).fill('rate_limited');
    relay.replies.push(...replies);

    const run = await importToRelay({ source: fakeSource(rowsOf(10)), time }, relay.relay.fetch);

    expect(await run.finish()).toEqual({ kind: 'complete' });
    expect(time.now() - Date.parse('2026-11-23T12:00:00Z')).toBeGreaterThan(30_000 * 30);
    expect(sorted(numbersAt(relay))).toEqual(upTo(10));
  });

  test('has one request under way for each device, up to six in all, and waits as Retry-After asks', async () => {
    const { time, relay } = played();
    const open = new Map<string, number>();
    const mostOpen = { ofDevice: 0, inAll: 0 };
    const refusedAt = new Map<string, number>();
    const waits: number[] = [];
    const fetch: typeof globalThis.fetch = async (url, init) => {
      const { device } = JSON.parse(String(init?.body));
      waits.push(time.now() - (refusedAt.get(device) ?? Number.NEGATIVE_INFINITY));
      open.set(device, (open.get(device) ?? 0) + 1);
      const all = [...open.values()];
      mostOpen.ofDevice = Math.max(mostOpen.ofDevice, ...all);
      mostOpen.inAll = Math.max(
        mostOpen.inAll,
        all.reduce((sum, each) => sum + each, 0),
      );
      await new Promise<void>((resolve) => void time.timer(resolve, 1_000));
      open.set(device, 0);
      const answer = await relay.relay.fetch(url, init);
      if (answer.status === 202) refusedAt.delete(device);
      else refusedAt.set(device, time.now());
      return answer;
    };
    relay.replies.push('settled', 'settled', ...Array<Reply>(20).fill('unavailable'));
    const people = upTo(8_000).map((n) => ({ person: `user ${n}` }));

    const run = await importToRelay({ source: fakeSource(people), time }, fetch);
    await run.finish();

    expect(mostOpen).toEqual({ ofDevice: 1, inAll: 6 });
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(30_000);
    expect(sorted(numbersAt(relay))).toEqual(upTo(8_000));
  });

  test('holds only a part of a file in memory while the relay takes nothing', async () => {
    const { time } = played();
    const source = fakeSource(rowsOf(100_000));
    let read = 0;
    const counted = {
      ...source,
      read: async function* (...wants: Parameters<typeof source.read>) {
        for await (const row of source.read(...wants)) {
          read = row.number;
          yield row;
        }
      },
    };

    const run = await importToRelay({ source: counted, time }, () => new Promise(() => {}));
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));

    expect(read).toBeGreaterThan(10_000);
    expect(read).toBeLessThan(25_000);
    run.halt.stop({ kind: 'interrupted' });
    await run.finish();
  });
});

describe('a wrong setting stops an import at once, and no row is refused for it', () => {
  const answered = (response: () => Response) => async () => response();

  test.each([
    [
      'a token that the relay refuses',
      () => Response.json({ error: { code: 'invalid_token', message: 'no' } }, { status: 401 }),
      'the relay refused the token: set SERVER_TOKEN to the SERVER_TOKEN of https://t.example.com',
    ],
    [
      'a site in place of the relay',
      () => new Response('<!doctype html>', { status: 200 }),
      'endpoint https://t.example.com answered 200, but not as a relay does: check it, and what is before it. Check --relay',
    ],
    [
      'an address without a relay',
      () => new Response('not found', { status: 404 }),
      'endpoint https://t.example.com answered 404, but not as a relay does: check it, and what is before it. Check --relay',
    ],
    [
      'a redirect',
      () => new Response(null, { status: 301 }),
      'endpoint https://t.example.com answered 301, but not as a relay does: set it to the address after the redirect. Check --relay',
    ],
    [
      'something before the relay that refuses everything',
      () => new Response('denied', { status: 403 }),
      'https://t.example.com refuses every row. Check --relay',
    ],
  ])('%s', async (_, response, message) => {
    const { time } = played();
    const disk = fakeDisk();
    const run = await importToRelay({ source: fakeSource(rowsOf(10)), time, disk }, answered(response));

    expect(await run.finish(60_000)).toEqual({ kind: 'failed', message });
    expect(run.ledger.report()).toMatchObject({ rows: 0, refused: 0 });
    // The next run may go to another relay.
    expect([...disk.files.keys()]).toEqual([]);
  });

  test('a host that does not exist, after 15 seconds', async () => {
    const { time } = played();
    const fetch = () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } }));

    const run = await importToRelay({ source: fakeSource(rowsOf(10)), time }, fetch);

    expect(await run.finish(60_000)).toEqual({
      kind: 'failed',
      message: 'https://t.example.com takes no rows (ENOTFOUND): check --relay, and that the relay runs',
    });
  });

  test('a relay that is down for longer than ten minutes, and not before', async () => {
    const { time, relay } = played();
    relay.replies.push('settled');
    const run = await importToRelay(
      { source: fakeSource(rowsOf(6_000, { person: 'johndoe' })), time },
      async (url, init) => {
        if (relay.requests.length > 0) throw new TypeError('network changed');
        return relay.relay.fetch(url, init);
      },
    );

    expect(await run.finish(590_000)).toBeUndefined();
    expect(await run.finish(60_000)).toMatchObject({ kind: 'failed' });
    expect(run.ledger.report()).toMatchObject({ rows: 400, refused: 0 });
  });
});

describe('a single row that is refused', () => {
  test('by the relay’s rules is in the report with its number, and costs no other', async () => {
    const { time, relay } = played();
    const rejects = fakeRejects();
    const { fetch } = relay.relay;
    const strict: typeof globalThis.fetch = async (url, init) => {
      const body = JSON.parse(String(init?.body));
      const isOff = ({ eventData }: EventRecord) => eventData?.n === 7;
      const off = body.records.find(isOff);
      if (off === undefined) return fetch(url, init);
      const kept = { ...body, records: body.records.filter((record: EventRecord) => !isOff(record)) };
      const answer = await (await fetch(url, { ...init, body: JSON.stringify(kept) })).json();
      const issues = [{ path: 'eventName', message: 'is not in the tracking plan' }];
      return Response.json({ ...answer, rejected: [{ id: off.id, issues }] }, { status: 202 });
    };

    const run = await importToRelay({ source: fakeSource(rowsOf(20)), time, rejects }, strict);
    await run.finish();

    expect(run.ledger.report()).toMatchObject({
      good: 19,
      refused: 1,
      reasons: [{ path: 'eventName', message: 'is not in the tracking plan', rows: 1, firstRows: [7] }],
    });
    expect(JSON.parse(rejects.file.text)).toMatchObject({
      number: 7,
      line: 8,
      reasons: ['eventName is not in the tracking plan'],
      row: { userId: 'user 1', eventData: { n: 7 } },
    });
  });

  test('by the relay tells that it accepts the token, even if it refuses every row', async () => {
    const { time, relay } = played();
    const fetch: typeof globalThis.fetch = async (url, init) => {
      const { records } = JSON.parse(String(init?.body));
      const answer = await (await relay.relay.fetch(url, init)).json();
      const rejected = records.map(({ id }: { id: string }) => ({
        id,
        issues: [{ path: '', message: 'no' }],
      }));
      return Response.json({ ...answer, rejected }, { status: 202 });
    };

    const run = await importToRelay({ source: fakeSource(rowsOf(3)), time }, fetch);
    expect(run.ledger.isAnswered()).toBe(false);
    await run.finish();

    expect(run.ledger.report()).toMatchObject({ good: 0, refused: 3 });
    expect(run.ledger.isAnswered()).toBe(true);
  });

  test('by something before the relay is found by halving', async () => {
    const { time, relay } = played();
    relay.onTheWay.answer = (body) =>
      body.includes('"n":13,') ? new Response('denied', { status: 403 }) : undefined;
    const source = fakeSource(rowsOf(60, { person: 'johndoe', data: { more: true } }));

    const run = await importToRelay({ source, time }, relay.relay.fetch);

    expect(await run.finish()).toEqual({ kind: 'complete' });
    expect(numbersAt(relay)).toEqual(upTo(60).filter((n) => n !== 13));
    expect(run.ledger.report().reasons).toMatchObject([{ firstRows: [13] }]);
  });

  test('does not stop an import if the next row that could clear a doubt is far behind', async () => {
    const { time, relay } = played();
    relay.onTheWay.answer = (body) =>
      /"n":(1|70002)[,}]/.test(body) ? new Response('denied', { status: 403 }) : undefined;
    const rows = rowsOf(70_003).map((row, index) =>
      index > 0 && index < 70_001 ? { ...row, issue: 'must be an e-mail address' } : row,
    );

    const run = await importToRelay({ source: fakeSource(rows), time }, relay.relay.fetch);

    expect(await run.finish()).toEqual({ kind: 'complete' });
    expect(numbersAt(relay)).toEqual([70_003]);
    expect(run.ledger.report()).toMatchObject({ rows: 70_003, good: 1 });
  });

  test('does not stop an import in which an earlier run has sent rows', async () => {
    const { time, relay } = played();
    const disk = fakeDisk();
    const source = fakeSource(rowsOf(2, { person: 'johndoe', bytes: 100_000 }));
    relay.onTheWay.answer = (body) =>
      body.includes('"n":2}') ? new Response('denied', { status: 403 }) : undefined;
    const { fetch } = relay.relay;
    let isDead = false;
    const mortal: typeof globalThis.fetch = (...request) => {
      if (isDead) return new Promise(() => {});
      isDead = true;
      return fetch(...request);
    };
    await importToRelay({ source, time, disk }, mortal);
    await time.pass(2_000);

    const next = await importToRelay(
      { source, time, disk: disk.afterCrash(1), self: nextProcess(THIS_PROCESS) },
      fetch,
    );

    expect(await next.finish()).toEqual({ kind: 'complete' });
    expect(next.ledger.report()).toMatchObject({ good: 1, refused: 1 });
  });
});

describe('Ctrl-C', () => {
  test('waits up to five seconds for answers, and the next run sends the rest', async () => {
    const { time, relay } = played();
    const disk = fakeDisk();
    const source = fakeSource(rowsOf(3_000, { person: 'johndoe' }));
    relay.replies.push('slow', 'slow');
    const slow = { source, time, disk, removesJournal: true };
    const first = await importToRelay(slow, relay.relay.fetch);
    await time.pass(100);

    first.halt.stop({ kind: 'interrupted' });
    await time.pass(4_000);

    expect(await first.ended).toEqual({ kind: 'interrupted' });
    expect(relay.requests).toHaveLength(1);
    const second = await importToRelay(slow, relay.relay.fetch);
    expect(await second.finish()).toEqual({ kind: 'complete' });
    expect(numbersAt(relay)).toEqual(upTo(3_000));
    expect([...disk.files.keys()]).toEqual([]);
  });

  test('ends a request that gets no answer', async () => {
    const { time } = played();
    const aborted: unknown[] = [];
    const run = await importToRelay(
      { source: fakeSource(rowsOf(10)), time },
      (_, init) =>
        new Promise((_, reject) => {
          init?.signal?.addEventListener('abort', () => {
            aborted.push(init);
            reject(new Error('aborted'));
          });
        }),
    );
    await time.pass(100);

    run.halt.stop({ kind: 'interrupted' });
    await time.pass(5_100);

    expect(await run.ended).toEqual({ kind: 'interrupted' });
    expect(aborted.length).toBeGreaterThan(0);
  });
});

describe('a crash', () => {
  const aReply = fc.constantFrom<Reply>(
    'settled',
    'settled',
    'slow',
    'lost',
    'offline',
    'rate_limited',
    'unavailable',
  );
  const aRow = fc.record({
    person: fc.nat(PEOPLE - 1).map((n) => `user ${n}`),
    issue: fc.option(fc.constant('must be an e-mail address'), { nil: undefined, freq: 5 }),
    // So that a slot needs many requests.
    bytes: fc.constantFrom(200, 20_000, 60_000),
  });
  const aLife = fc.record({
    /** A step of the disk, and a request: nothing happens after whichever comes first. */
    crashAtStep: fc.integer({ min: 1, max: 40 }),
    crashAtRequest: fc.integer({ min: 1, max: 12 }),
    isRequestTaken: fc.boolean(),
    /** The share that is on disk of what was not synced. */
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    replies: fc.array(aReply, { maxLength: 8 }),
  });

  test('at any step of any run costs no row, doubles none, and keeps the order of a person', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(aRow, { minLength: 1, maxLength: 60 }),
        fc.array(aLife, { maxLength: 4 }),
        async (rows, lives) => {
          const { time, relay } = played();
          const source = fakeSource(rows as readonly FakeRow[]);
          let rejects = fakeRejects();
          let disk = fakeDisk();
          let self = THIS_PROCESS;
          let isOver = false;

          for (const { crashAtStep, crashAtRequest, isRequestTaken, share, replies } of lives) {
            if (isOver) break;
            disk.state.crashAt = crashAtStep;
            relay.replies.splice(0, Number.POSITIVE_INFINITY, ...replies);
            let requests = 0;
            let isDead = false;
            const mortal: typeof globalThis.fetch = async (...request) => {
              requests += 1;
              if (requests > crashAtRequest || isDead) return new Promise(() => {});
              if (requests < crashAtRequest) return relay.relay.fetch(...request);
              isDead = true;
              if (isRequestTaken) await relay.relay.fetch(...request).catch(() => {});
              return new Promise(() => {});
            };
            const opening = importToRelay({ source, time, disk, rejects, self }, mortal);
            void opening.then(async (run) => {
              isOver = (await run.ended).kind === 'complete';
            });
            await time.pass(100_000);
            isDead = true;
            disk = disk.afterCrash(share);
            rejects = fakeRejects(rejects.file.text);
            self = nextProcess(self);
          }
          relay.replies.splice(0);
          const last = await importToRelay({ source, time, disk, rejects, self }, relay.relay.fetch);
          expect(await last.finish()).toEqual({ kind: 'complete' });

          const refused = rows.flatMap(({ issue }, index) => (issue === undefined ? [] : [index + 1]));
          const good = rows.flatMap(({ issue }, index) => (issue === undefined ? [index + 1] : []));
          expect(sorted(numbersAt(relay))).toEqual(good);
          expect(outOfOrder(relay)).toEqual([]);
          const listed = rejects.file.text.split('\n').slice(0, -1);
          expect(sorted(listed.map((line) => JSON.parse(line).number))).toEqual(refused);
          expect(last.ledger.report()).toMatchObject({ good: good.length, refused: refused.length });
        },
      ),
      { numRuns: 200 },
    );
  });
});
