import { runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { withinBytes } from '../../../src/edge/delivery/trim-cut.ts';
import { bulkBody } from '../../../src/edge/delivery/webengage.ts';
import { recordsOf } from '../../../src/edge/queue/sealed-batches.ts';
import { delivery, ingestAt, newOutbox } from '../../fakes/outbox.ts';
import { eventRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const events = (count: number) => Array.from({ length: count }, (_, n) => eventRecord(n + 1));
const slice = (seq: number, device: string, to: number) => ({ seq, device, from: 0, to });

/** A cut of two records of `a`, three of `b` and one of `c`, made to fit. */
async function trimmedTo(maxBytes: number) {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', ...events(2)), NOW);
  await ingestAt(stub, delivery('b', ...events(3)), NOW);
  await ingestAt(stub, delivery('c', ...events(1)), NOW);
  const cut = { kind: 'event', members: [slice(1, 'a', 2), slice(2, 'b', 3), slice(3, 'c', 1)] } as const;
  const dueFrom = new Map(['a', 'b', 'c'].map((device, n) => [device, NOW + n]));
  return runInDurableObject(stub, (_, { storage: { sql } }) => {
    const trimmed = withinBytes(sql, { step: 'cut', cut, dueFrom }, maxBytes);
    const body = bulkBody({ kind: 'event', records: recordsOf(sql, trimmed.cut) });
    return { ...trimmed, bytes: body.length };
  });
}

test('a cut that fits is unchanged and says when its browsers are due next', async () => {
  const { cut, dueFrom } = await trimmedTo(1_000_000);

  expect(cut.members).toHaveLength(3);
  expect([...dueFrom.keys()]).toEqual(['a', 'b', 'c']);
});

test('a cut that does not fit is trimmed, and only browsers wholly inside it are due later', async () => {
  const { bytes: whole } = await trimmedTo(1_000_000);
  const { cut, dueFrom, bytes } = await trimmedTo(Math.floor(whole * 0.6));

  expect(cut.members).toEqual([slice(1, 'a', 2), slice(2, 'b', 1)]);
  expect([...dueFrom.keys()]).toEqual(['a']);
  expect(bytes).toBeLessThanOrEqual(whole * 0.6);
});

test('a single record is sent however large it is', async () => {
  const { cut, dueFrom } = await trimmedTo(10);

  expect(cut.members).toEqual([slice(1, 'a', 1)]);
  expect([...dueFrom]).toEqual([]);
});
