import { withdraw } from '../queue/call-outcome.ts';
import { count } from '../queue/counters/tally.ts';
import type { Slice } from '../queue/cut-batch.ts';
import { moveToDeadLetters, type RefusedWith } from '../queue/dead-letters/dead-letters.ts';
import {
  countIsolating,
  countRecords,
  recordsOf,
  type SealedBatch,
  seal,
  sharesBrowser,
} from '../queue/sealed-batches.ts';
import type { Evidence } from './evidence.ts';
import { SUSPECT_FROM, type Suspects } from './suspects.ts';

// How many parts of refused batches are searched at the same time. Beyond that, a refused batch returns to
// its place in the queue and its browsers are parked. Their records are tried later, in small groups.
const MAX_ISOLATING = 200;

/**
 * Continues the search for the record at fault in a batch that was refused for its records. Seals each half
 * under an id of its own. A single record becomes a dead letter; its neighbours are sent on.
 */
export function bisect(
  storage: DurableObjectStorage,
  batch: SealedBatch,
  refusal: RefusedWith,
  evidence: Evidence,
  newRequestId: () => string,
  now: number,
): void {
  const { suspects } = evidence;
  if (countRecords(batch.members) === 1) {
    moveToDeadLetters(storage, batch, refusal, now);
    return;
  }
  if (isMixed(storage.sql, batch, suspects)) {
    release(storage, batch, suspects, refusal.counted, now);
    return;
  }
  const isCrowded =
    refusal.counted === 'refused' && !batch.isolating && countIsolating(storage.sql) >= MAX_ISOLATING;
  if (isCrowded && suspects.hasRoom(batch.members.length) && !sharesBrowser(storage.sql, batch)) {
    release(storage, batch, suspects, refusal.counted, now);
    // Newest first, so that each browser ends up parked at its oldest record.
    for (const { device, seq } of batch.members.toReversed())
      suspects.park(device, { seq, wasRefused: true });
    return;
  }
  const [first, second] = halve(
    storage,
    batch,
    // Marks a half as refused before, as a part of the whole.
    { isolating: true, status: refusal.status, refusedAt: now, suspicions: refusal.suspicions },
    refusal.counted,
    newRequestId,
    now,
  );
  if (first === undefined || second === undefined) return;
  evidence.secondHalves.set(first.requestId, second);
  for (const { requestId, attempts } of [first, second]) evidence.sealedWith.set(requestId, attempts);
}

/**
 * True if a batch now holds both suspect and clean records: cut anew, they travel apart. False if one of its
 * browsers has records in another sealed batch, because later ones would then be sent first.
 */
export function isMixed(sql: SqlStorage, batch: SealedBatch, suspects: Suspects): boolean {
  if (!suspects.any() || sharesBrowser(sql, batch)) return false;
  const risks = recordsOf(sql, batch).map((record) => suspects.risk(batch.kind, record));
  return risks.some((risk) => risk >= SUSPECT_FROM) && risks.some((risk) => risk < SUSPECT_FROM);
}

/**
 * Returns the records of a refused batch to their place in the queue. WebEngage has accepted none of them.
 */
export function release(
  storage: DurableObjectStorage,
  batch: SealedBatch,
  suspects: Suspects,
  counted: RefusedWith['counted'],
  now: number,
): void {
  // If a later record of a browser is parked, that record is no longer the browser's next one.
  for (const { device } of batch.members) suspects.unpark(device);
  storage.transactionSync(() => {
    const hasEnded = withdraw(storage.sql, batch, now) === undefined;
    if (!hasEnded && counted !== undefined) count(storage.sql, { [counted]: 1 }, now);
  });
}

/** Halves a batch that was too large for one call. Neither half is suspected of anything. */
export function split(
  storage: DurableObjectStorage,
  batch: SealedBatch,
  newRequestId: () => string,
  now: number,
): void {
  halve(storage, batch, { isolating: batch.isolating, status: TOO_LARGE }, 'too_large', newRequestId, now);
}

const TOO_LARGE = 413;

type Half = Pick<SealedBatch, 'isolating' | 'status'> &
  Partial<Pick<SealedBatch, 'refusedAt' | 'suspicions'>>;

/**
 * Seals both halves, each under an id of its own. Returns no half if the batch has already ended, and leaves out
 * one that erasing has emptied.
 */
function halve(
  storage: DurableObjectStorage,
  batch: SealedBatch,
  half: Half,
  counted: RefusedWith['counted'] | 'too_large' | undefined,
  newRequestId: () => string,
  now: number,
): readonly SealedBatch[] {
  return storage.transactionSync(() => {
    const all = withdraw(storage.sql, batch, now);
    if (all === undefined) return [];
    if (counted !== undefined) count(storage.sql, { [counted]: 1 }, now);
    const attempts = batch.attempts + (counted === undefined ? 0 : 1);
    const filled = halves(all).filter((members) => members.length > 0);
    return filled.map((members) => {
      const sealed = { ...half, kind: batch.kind, members, attempts, answeredAt: now };
      return seal(storage.sql, sealed, newRequestId(), now);
    });
  });
}

/** Two halves in the same order. The first gets the odd record. */
function halves(members: readonly Slice[]): readonly [readonly Slice[], readonly Slice[]] {
  const first: Slice[] = [];
  const second: Slice[] = [];
  let room = Math.ceil(countRecords(members) / 2);
  for (const { from, to, ...run } of members) {
    const middle = Math.min(to, from + room);
    room -= middle - from;
    if (middle > from) first.push({ ...run, from, to: middle });
    if (to > middle) second.push({ ...run, from: middle, to });
  }
  return [first, second];
}
