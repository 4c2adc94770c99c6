import { runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { bisect, split } from '../../../src/edge/delivery/bisect.ts';
import { noEvidence } from '../../../src/edge/delivery/evidence.ts';
import { type SealedBatch, seal, sealedBatches } from '../../../src/edge/queue/sealed-batches.ts';
import { delivery, ingestAt, newOutbox } from '../../fakes/outbox.ts';
import { eventRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const REFUSED = { status: 400, words: '', proven: false, counted: 'refused', suspicions: 0 } as const;

let made = 0;
const newId = () => `id${made++}`;

/** One browser's batch of 20, and so many parts of refused batches beside it. */
async function withBatch<T>(parts: number, run: (storage: DurableObjectStorage, batch: SealedBatch) => T) {
  const stub = newOutbox();
  const records = Array.from({ length: 20 }, (_, n) => eventRecord(n + 1));
  await ingestAt(stub, delivery('a', ...records), NOW);
  for (let n = 0; n < parts; n++) await ingestAt(stub, delivery(`b${n}`, eventRecord(1)), NOW);
  return runInDurableObject(stub, (_, { storage }) => {
    for (let n = 0; n < parts; n++) {
      const members = [{ seq: n + 2, device: `b${n}`, from: 0, to: 1 }];
      seal(storage.sql, { kind: 'event', members, isolating: true }, newId(), NOW);
    }
    const members = [{ seq: 1, device: 'a', from: 0, to: 20 }];
    return run(storage, seal(storage.sql, { kind: 'event', members }, newId(), NOW));
  });
}

const ofA = ({ sql }: DurableObjectStorage) =>
  sealedBatches(sql).filter(({ members }) => members.some(({ device }) => device === 'a'));

test('a refused batch goes back to the queue, and its browsers are parked, while too many batches are bisected', async () => {
  await withBatch(200, (storage, batch) => {
    const evidence = noEvidence();
    bisect(storage, batch, REFUSED, evidence, newId, NOW);

    expect(ofA(storage)).toEqual([]);
    expect([...evidence.suspects.parked]).toEqual([['a', { seq: 1, wasRefused: true }]]);
  });
});

test('one half of a batch that was too large is not returned, because the other half would overtake it', async () => {
  await withBatch(200, (storage, batch) => {
    split(storage, batch, newId, NOW);
    const [first, second] = ofA(storage).sort(
      (a, b) => (a.members[0]?.from ?? 0) - (b.members[0]?.from ?? 0),
    );
    if (first === undefined || second === undefined) throw new Error('there are no halves');

    bisect(storage, first, REFUSED, noEvidence(), newId, NOW);

    // Both quarters of the first half, and the second.
    expect(ofA(storage)).toHaveLength(3);
  });
});

test('a refused batch is halved when no more browsers can be parked', async () => {
  await withBatch(200, (storage, batch) => {
    const evidence = noEvidence();
    for (let n = 0; n < 5_000; n++) evidence.suspects.park(`c${n}`, { seq: n, wasRefused: true });
    bisect(storage, batch, REFUSED, evidence, newId, NOW);

    expect(ofA(storage)).toHaveLength(2);
  });
});
