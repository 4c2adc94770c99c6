import { runInDurableObject } from 'cloudflare:test';
import { afterEach, expect, test, vi } from 'vitest';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import { MAX_SEGMENT_RUNS } from '../../../src/edge/queue/segments/segment-limits.ts';
import { segmentsOf } from '../../../src/edge/queue/segments/segments.ts';
import { delivery, ingestAt, newOutbox, passAt, scriptedUpstream, turnOverAt } from '../../fakes/outbox.ts';
import { eventRecord, events } from '../../fakes/records.ts';
import { loggedLines } from '../logs-and-storage.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

type Stub = DurableObjectStub<Outbox>;

const openSegment = (stub: Stub) =>
  runInDurableObject(stub, (_, { storage }) => segmentsOf(storage.sql).open);

const forgetAlarm = (stub: Stub) => runInDurableObject(stub, (_, { storage }) => storage.deleteAlarm());

test('an outbox that is woken drops what was delivered, once its segment is old', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', ...events(1, 25)), Date.now());
  await passAt(stub, scriptedUpstream(), Date.now());

  await stub.wake();

  expect(await openSegment(stub)).toBe('run_b');
  await stub.wake();
  expect(await openSegment(stub)).toBe('run_b');
});

test('an outbox whose segment contains ids is not retired, though nothing waits', async () => {
  const stub = newOutbox();
  await turnOverAt(stub, Date.now());
  await ingestAt(stub, delivery('a', ...events(1, 25)), Date.now());
  await passAt(stub, scriptedUpstream(), Date.now());

  expect(await stub.wake()).toBe(false);
});

test('the flush that fills a segment opens the next one', async () => {
  const stub = newOutbox();
  const session = (n: number) => `${n}`.padStart(22, 'A');
  // Page loads count like runs: an outbox has the ids of each in memory.
  const records = Array.from({ length: MAX_SEGMENT_RUNS }, (_, n) =>
    eventRecord(1, { id: `${session(n)}.1` }),
  );
  // A server's, which no quota refuses.
  const send = (...sent: typeof records) =>
    stub.ingest('1/0', { ...delivery('a', ...sent), lane: 'server' as const });
  await send(...records.slice(1));
  expect(await openSegment(stub)).toBe('run_a');

  await send(...records.slice(0, 1));

  expect(await openSegment(stub)).toBe('run_b');
  expect(await send(...records.slice(0, 9))).toMatchObject({ accepted: 0, duplicates: 9 });
  await forgetAlarm(stub);
});

test('a failed turn-over is one line in the log, and refuses nothing', async () => {
  const stub = newOutbox();
  const logged = loggedLines();
  await ingestAt(stub, delivery('a', ...events(1, 25)), Date.now());

  await runInDurableObject(stub, async (running, { storage }) => {
    // As long as it is read, no table can be dropped.
    const cursor = storage.sql.exec('SELECT value FROM json_each(?)', '[1,2,3]');
    cursor.next();
    await running.wake();
    expect(cursor.next().done).toBe(false);
  });

  expect(logged()).toContain('turn_over_failed');
  expect(await openSegment(stub)).toBe('run_a');
  await forgetAlarm(stub);
});
