import type { Rejection } from '../contract/answer.ts';
import { MAX_REQUEST_RECORDS } from '../contract/batch.ts';
import { backoffMs } from '../pacing/backoff.ts';
import { RecordError } from '../tracker/record/capture.ts';
import { RelayError } from './relay-error.ts';
import type { Outcome } from './relay-request.ts';
import type { Entry, Slot } from './slot.ts';

const BACKOFF = { baseMs: 500, capMs: 30_000 };

// No relay asks for more.
const LONGEST_PAUSE_MS = 3_600_000;

// Clients that were refused together come back apart.
const SPREAD = 0.2;

// How often to try while only a change of settings helps.
const REFUSED_PAUSE_MS = 60_000;

/** What decides about records that the relay does not take. */
export type Circumstances = {
  /** By the monotonic clock. */
  readonly now: number;
  /** From 0 to 1, 1 excluded. */
  readonly random: number;
  readonly giveUpAfterMs: number;
  /** Set if there is a journal: gets the reason why its records have to wait. Without a journal, calls reject. */
  readonly onBlocked: ((error: RelayError) => void) | undefined;
};

/** Ends the records that are settled or given up. All others stay in their slot, which may have to pause. */
export function applyOutcome(
  slot: Slot,
  entries: readonly Entry[],
  outcome: Outcome,
  circumstances: Circumstances,
): void {
  switch (outcome.kind) {
    case 'settled':
      settle(slot, entries, outcome.rejected);
      break;
    case 'retry':
      retryLater(slot, outcome, circumstances);
      break;
    case 'refused':
      refuse(slot, entries, outcome, circumstances);
      break;
  }
}

function settle(slot: Slot, entries: readonly Entry[], rejected: readonly Rejection[]): void {
  const issuesOf = new Map(rejected.map(({ id, issues }) => [id, issues]));
  slot.queue.splice(0, entries.length);
  slot.failures = 0;
  slot.most = Math.min(MAX_REQUEST_RECORDS, slot.most * 2);
  for (const { id, end } of entries) {
    const issues = issuesOf.get(id);
    end(issues === undefined ? undefined : new RecordError(issues));
  }
}

function retryLater(
  slot: Slot,
  { why, afterMs = 0 }: Extract<Outcome, { kind: 'retry' }>,
  { now, random, giveUpAfterMs, onBlocked }: Circumstances,
): void {
  slot.failures += 1;
  const askedMs = Math.min(LONGEST_PAUSE_MS, afterMs) * (1 + SPREAD * random);
  slot.pausedUntil = now + (askedMs || backoffMs(slot.failures, BACKOFF, random));
  const late = slot.queue.filter(({ madeAt }) => madeAt + giveUpAfterMs <= slot.pausedUntil);
  if (late.length === 0) return;
  const forS = Math.round(giveUpAfterMs / 1000);
  const message = `the relay took no record for ${forS} s, at last with ${why}: check that it runs`;
  giveUp(slot, late, new RelayError('unavailable', message), onBlocked);
}

function refuse(
  slot: Slot,
  entries: readonly Entry[],
  { error, isMaybeOne }: Extract<Outcome, { kind: 'refused' }>,
  { now, onBlocked }: Circumstances,
): void {
  if (isMaybeOne && entries.length > 1) {
    slot.most = Math.ceil(entries.length / 2);
    return;
  }
  if (onBlocked !== undefined) slot.pausedUntil = now + REFUSED_PAUSE_MS;
  giveUp(slot, entries, error, onBlocked);
}

function giveUp(
  slot: Slot,
  entries: readonly Entry[],
  error: RelayError,
  onBlocked: Circumstances['onBlocked'],
): void {
  if (onBlocked !== undefined) {
    onBlocked(error);
    return;
  }
  const ended = new Set(entries);
  slot.queue = slot.queue.filter((entry) => !ended.has(entry));
  for (const { end } of entries) end(error);
}
