import { runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { noEvidence } from '../../../src/edge/delivery/evidence.ts';
import { nextSend, type Standing, type Work } from '../../../src/edge/delivery/next-send.ts';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import { dueTimes } from '../../../src/edge/limits/fair-queue.ts';
import { seal } from '../../../src/edge/queue/sealed-batches.ts';
import { delivery, ingestAt, newOutbox } from '../../fakes/outbox.ts';
import { eventRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const STANDING: Standing = {
  inFlight: new Set(),
  isolationFrom: 0,
  probes: false,
  chance: 0,
  lingerMs: 1_000,
  msPerRecord: 0,
  dueTimes: dueTimes(),
  evidence: noEvidence(),
};

/** An outbox with so many parts of refused batches, and behind them so many records of a browser that has none. */
async function withParts(parts: number, others: number): Promise<DurableObjectStub<Outbox>> {
  const stub = newOutbox();
  for (let n = 1; n <= parts; n++) await ingestAt(stub, delivery(`bad ${n}`, eventRecord(1)), NOW);
  const records = Array.from({ length: others }, (_, n) => eventRecord(n + 1));
  await ingestAt(stub, delivery('good', ...records), NOW);
  await runInDurableObject(stub, (_, { storage: { sql } }) => {
    for (let seq = 1; seq <= parts; seq++) {
      const members = [{ seq, device: `bad ${seq}`, from: 0, to: 1 }];
      seal(sql, { kind: 'event', members, isolating: true, status: 400 }, `f${seq}`, NOW);
    }
  });
  return stub;
}

const workOf = (stub: DurableObjectStub<Outbox>, standing: Partial<Standing> = {}): Promise<Work> =>
  runInDurableObject(stub, (_, { storage: { sql } }) => nextSend(sql, { ...STANDING, ...standing }, NOW));

test('parts of refused batches go from their own allowance, and while it is used up a new batch goes', async () => {
  const stub = await withParts(199, 25);

  expect(await workOf(stub)).toMatchObject({ step: 'resend', isolates: true });
  expect(await workOf(stub, { isolationFrom: NOW + 60_000 })).toMatchObject({ step: 'cut' });
});

test('however many they are, they keep nothing else from going', async () => {
  const stub = await withParts(200, 25);

  expect(await workOf(stub)).toMatchObject({ step: 'resend', isolates: true });
  expect(await workOf(stub, { isolationFrom: NOW + 60_000 })).toMatchObject({ step: 'cut', isolates: false });
});

test('a probe is made with records that were not refused, though they have not lingered', async () => {
  const stub = await withParts(1, 1);

  expect(await workOf(stub)).toMatchObject({ step: 'resend' });
  expect(await workOf(stub, { probes: true })).toMatchObject({
    step: 'cut',
    cut: { members: [{ device: 'good' }] },
  });
});

test('or, where there are no others, with those that were', async () => {
  expect(await workOf(await withParts(1, 0), { probes: true })).toMatchObject({ step: 'resend' });
});

test('while WebEngage is down new records are no reason to look sooner, and before that they are', async () => {
  const waitBehind = async (failing: number) => {
    const stub = await withParts(failing, 1);
    await runInDurableObject(stub, (_, { storage: { sql } }) =>
      sql.exec(
        `UPDATE batch SET isolating = 0, status = 503, failures = 1, due_at = ?,
           kind = IIF(request_id IN (SELECT request_id FROM batch LIMIT 6), 'event', 'user')`,
        NOW + 30_000,
      ),
    );
    return workOf(stub, { evidence: { ...noEvidence(), triedAt: { user: NOW, event: NOW } } });
  };

  expect(await waitBehind(5)).toEqual({ step: 'wait', until: NOW + 1_000, held: false });
  expect(await waitBehind(12)).toEqual({ step: 'wait', until: NOW + 30_000, held: true });
});

test('one kind that fails holds back no batch of the other', async () => {
  const stub = await withParts(6, 1);
  await runInDurableObject(stub, (_, { storage: { sql } }) =>
    sql.exec(
      `UPDATE batch SET kind = 'user', isolating = 0, status = 503, failures = 1, due_at = ?`,
      NOW + 30_000,
    ),
  );

  const evidence = { ...noEvidence(), triedAt: { user: NOW, event: NOW } };
  expect(await workOf(stub, { evidence, lingerMs: 0 })).toMatchObject({ step: 'cut', isTrial: false });
});

test('a browser with so many runs that nobody else is in view does not hide the others', async () => {
  const stub = newOutbox();
  await runInDurableObject(stub, (_, { storage: { sql } }) => {
    sql.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
       INSERT INTO run (device, kind, at, count, entered, unverified, records) SELECT 'flood', 'event', ?, 1, i, 0, '[]' FROM n`,
      NOW - 60_000,
    );
  });
  await ingestAt(stub, delivery('other', eventRecord(1)), NOW - 2_000);

  const work = await workOf(stub, { msPerRecord: 500, dueTimes: { dueFrom: floodLater } });

  expect(work).toMatchObject({
    step: 'cut',
    cut: { members: expect.arrayContaining([expect.objectContaining({ device: 'other' })]) },
  });
});

test('what was taken back from the dead letters, which stands before all else, is in view', async () => {
  const stub = newOutbox();
  await runInDurableObject(stub, (_, { storage: { sql } }) =>
    sql.exec(
      `INSERT INTO run (seq, device, kind, at, count, entered, unverified, records) VALUES (-3, 'a', 'event', ?, 1, 1, 0, '[]')`,
      NOW - 2_000,
    ),
  );

  expect(await workOf(stub)).toMatchObject({ step: 'cut', cut: { members: [{ seq: -3 }] } });
});

const floodLater = (device: string) => (device === 'flood' ? NOW + 60_000 : 0);
