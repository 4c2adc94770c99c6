import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { noEvidence } from '../../../src/edge/delivery/evidence.ts';
import { nextSend, type SchedulerState, type Work } from '../../../src/edge/delivery/next-send.ts';
import { cutParked } from '../../../src/edge/delivery/trim-cut.ts';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import { dueTimes } from '../../../src/edge/limits/fair-queue.ts';
import { laneCredits } from '../../../src/edge/limits/lane-credit.ts';
import { seal } from '../../../src/edge/queue/sealed-batches.ts';
import { delivery, FLOORS, ingestAt, newOutbox } from '../../fakes/outbox.ts';
import { eventRecord, userRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const STANDING: SchedulerState = {
  inFlight: new Set(),
  isolationFrom: 0,
  importsFrom: 0,
  probes: false,
  chance: 0,
  lingerMs: 1_000,
  msPerRecord: 0,
  dueTimes: dueTimes(),
  lanes: laneCredits(FLOORS),
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

const workOf = (
  stub: DurableObjectStub<Outbox>,
  schedulerState: Partial<SchedulerState> = {},
): Promise<Work> =>
  runInDurableObject(stub, (_, { storage: { sql } }) =>
    nextSend(sql, { ...STANDING, ...schedulerState }, NOW),
  );

test('parts of refused batches use their own allowance, and a new batch goes while it is used up', async () => {
  const stub = await withParts(199, 25);

  expect(await workOf(stub)).toMatchObject({ step: 'resend', isolates: true });
  expect(await workOf(stub, { isolationFrom: NOW + 60_000 })).toMatchObject({ step: 'cut' });
});

test('many parts of refused batches hold back nothing else', async () => {
  const stub = await withParts(200, 25);

  expect(await workOf(stub)).toMatchObject({ step: 'resend', isolates: true });
  expect(await workOf(stub, { isolationFrom: NOW + 60_000 })).toMatchObject({ step: 'cut', isolates: false });
});

test('a probe uses records that were not refused, even before they have lingered', async () => {
  const stub = await withParts(1, 1);

  expect(await workOf(stub)).toMatchObject({ step: 'resend' });
  expect(await workOf(stub, { probes: true })).toMatchObject({
    step: 'cut',
    cut: { members: [{ device: 'good' }] },
  });
});

test('a probe uses refused records if there are no others', async () => {
  expect(await workOf(await withParts(1, 0), { probes: true })).toMatchObject({ step: 'resend' });
});

test('new records wake a pass sooner unless WebEngage is down', async () => {
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

  expect(await waitBehind(5)).toEqual({ step: 'wait', until: NOW + 1_000, backsOff: false });
  expect(await waitBehind(12)).toEqual({ step: 'wait', until: NOW + 30_000, backsOff: true });
});

test('a failing kind holds back no batch of the other kind', async () => {
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

test('a browser with so many runs that they fill the view does not hide the others', async () => {
  const stub = newOutbox();
  await runInDurableObject(stub, (_, { storage: { sql } }) => {
    sql.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
       INSERT INTO run_a (device, kind, at, count, entered, unverified, records) SELECT 'flood', 'event', ?, 1, i, 0, '[]' FROM n`,
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

test('requeued dead letters at the front of the queue are in view', async () => {
  const stub = newOutbox();
  await runInDurableObject(stub, (_, { storage: { sql } }) =>
    sql.exec(
      `INSERT INTO run_front (seq, device, kind, at, count, entered, unverified, records) VALUES (-3, 'a', 'event', ?, 1, 1, 0, '[]')`,
      NOW - 2_000,
    ),
  );

  expect(await workOf(stub)).toMatchObject({ step: 'cut', cut: { members: [{ seq: -3 }] } });
});

const floodLater = (device: string) => (device === 'flood' ? NOW + 60_000 : 0);

describe('a parked browser', () => {
  /** Evidence by which `Poison` is refused, and all else is taken. */
  function knowing() {
    const evidence = noEvidence();
    const record = (eventName: string) => ({ id: 'x', eventName, eventData: {} });
    for (let n = 0; n < 100; n++) evidence.suspects.taken('event', [record('Plain')]);
    evidence.suspects.refused('event', record('Poison'));
    return { evidence, clear: () => evidence.suspects.taken('event', Array(100).fill(record('Poison'))) };
  }
  const named = (seq: number, eventName: string) => eventRecord(seq, { eventName, eventData: {} });
  const membersOf = (work: Work) => (work.step === 'cut' ? work.cut.members : undefined);

  test('travels apart from the others, which go first', async () => {
    const { evidence } = knowing();
    const stub = newOutbox();
    await ingestAt(stub, delivery('bad', named(1, 'Poison'), named(2, 'Plain')), NOW - 9_000);
    await ingestAt(stub, delivery('good', named(1, 'Plain')), NOW - 8_000);

    const clean = await workOf(stub, { evidence, isolationFrom: NOW + 1 });
    const apart = await workOf(stub, { evidence });

    expect(clean).toMatchObject({ step: 'cut', isolates: false, cut: { members: [{ device: 'good' }] } });
    expect(apart).toMatchObject({ step: 'cut', isolates: true });
    // The record that is suspect, and not what stands behind it.
    expect(membersOf(apart)).toEqual([{ seq: 1, device: 'bad', from: 0, to: 1 }]);
  });

  test('sends the records made before the suspect one first', async () => {
    const { evidence } = knowing();
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', named(1, 'Plain')), NOW - 9_000);
    await ingestAt(stub, delivery('a', named(2, 'Plain'), named(3, 'Poison')), NOW - 8_000);
    await ingestAt(stub, delivery('a', named(4, 'Poison')), NOW - 7_000);

    const work = await workOf(stub, { evidence });

    expect(work).toMatchObject({ step: 'cut', isolates: false });
    expect(membersOf(work)).toEqual([
      { seq: 1, device: 'a', from: 0, to: 1 },
      { seq: 2, device: 'a', from: 0, to: 1 },
    ]);
  });

  test('joins the others again once nothing is held against it, with no record forgotten', async () => {
    const { evidence, clear } = knowing();
    const stub = newOutbox();
    await ingestAt(stub, delivery('bad', named(1, 'Poison')), NOW - 9_000);
    await workOf(stub, { evidence, isolationFrom: NOW + 1 });
    expect(evidence.suspects.parked.has('bad')).toBe(true);

    clear();

    expect(await workOf(stub, { evidence })).toMatchObject({ step: 'cut', isolates: false });
  });

  test('waits for its allowance and is not forgotten meanwhile', async () => {
    const { evidence } = knowing();
    const stub = newOutbox();
    await ingestAt(stub, delivery('bad', named(1, 'Poison')), NOW - 9_000);

    expect(await workOf(stub, { evidence, isolationFrom: NOW + 700 })).toEqual({
      step: 'wait',
      until: NOW + 700,
      backsOff: false,
    });
  });

  test('holds back no other browser when no more can be parked', async () => {
    const { evidence } = knowing();
    for (let n = 0; n < 6_000; n++)
      evidence.suspects.park(`elsewhere ${n}`, { seq: 9_999, wasRefused: true });
    const stub = newOutbox();
    await ingestAt(stub, delivery('bad', named(1, 'Poison')), NOW - 9_000);
    await ingestAt(stub, delivery('good', named(1, 'Plain')), NOW - 8_000);

    const work = await workOf(stub, { evidence, isolationFrom: NOW + 1 });

    expect(membersOf(work)).toMatchObject([{ device: 'good' }]);
  });

  test('hides no record of the other kind while its own kind fails', async () => {
    const { evidence } = knowing();
    const stub = newOutbox();
    await ingestAt(stub, delivery('bad', named(1, 'Poison')), NOW - 9_000);
    await ingestAt(stub, delivery('user', userRecord(1)), NOW - 8_000);
    evidence.suspects.park('bad', { seq: 1, wasRefused: true });
    evidence.suspects.park('user', { seq: 2, wasRefused: true });

    const cut = await runInDurableObject(stub, (_, { storage: { sql } }) =>
      cutParked(sql, evidence.suspects, new Set(), ['user']),
    );

    expect(cut).toMatchObject({ kind: 'user', members: [{ device: 'user' }] });
  });
});

test('parts of refused batches and parked records take turns', async () => {
  const stub = await withParts(3, 0);
  await ingestAt(stub, delivery('parked', eventRecord(1)), NOW - 9_000);
  const evidence = noEvidence();
  evidence.suspects.park('parked', { seq: 4, wasRefused: true });

  const afterParked = await workOf(stub, { evidence });
  evidence.isolated = 'part';
  const afterPart = await workOf(stub, { evidence });

  expect(afterParked).toMatchObject({ step: 'resend', isolates: true });
  expect(afterPart).toMatchObject({ step: 'cut', isolates: true, cut: { members: [{ device: 'parked' }] } });
});
