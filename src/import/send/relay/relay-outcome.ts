import type { Rejection } from '../../../contract/answer.ts';
import { MAX_REQUEST_RECORDS } from '../../../contract/batch.ts';
import { splitId } from '../../../contract/record.ts';
import { backoffMs } from '../../../pacing/backoff.ts';
import type { RelayError } from '../../../server/relay-error.ts';
import type { Outcome, Target } from '../../../server/relay-request.ts';
import { requestBytes } from '../../../server/slot.ts';
import type { Doubt } from '../doubt.ts';
import type { Flow } from '../flow.ts';
import type { ReadyRow } from '../ledger/ledger.ts';
import type { Patience } from '../patience.ts';
import { refusedAs, type SenderPorts } from '../sender.ts';

export type RelayTarget = Target & {
  /** The variable that holds the token, for messages. */
  readonly tokenEnv: string;
};

/** One device: its requests go one after the other, so each person's rows keep their order. */
export type Slot = {
  readonly device: string;
  readonly queue: ReadyRow[];
  /** The size of the queue in requests. */
  bytes: number;
  isBusy: boolean;
  /** Consecutive requests that failed. */
  failures: number;
  /** The most rows of the next request. Fewer while the slot looks for one that is refused. */
  most: number;
};

/** What handling an answer needs. */
export type RelayState = {
  readonly ports: SenderPorts;
  readonly target: RelayTarget;
  readonly flow: Flow;
  readonly doubt: Doubt;
  readonly patience: Patience;
};

const BACKOFF = { baseMs: 500, capMs: 30_000 };

// Devices that were paused together come back apart.
const SPREAD = 0.1;

const PACED = 429;

/** Carries out what an answer means for the first rows of a slot. Returns for how long the slot pauses. */
export function applyOutcome(
  state: RelayState,
  slot: Slot,
  rows: readonly ReadyRow[],
  outcome: Outcome,
): number {
  switch (outcome.kind) {
    case 'settled':
      state.patience.good(state.ports.time.mono());
      slot.failures = 0;
      slot.most = Math.min(MAX_REQUEST_RECORDS, slot.most * 2);
      settle(state, rows, outcome.rejected, outcome.duplicates);
      remove(state, slot, rows);
      return 0;
    case 'retry':
      return pauseFor(state, slot, outcome);
    case 'refused':
      refuse(state, slot, rows, outcome);
      return 0;
  }
}

export function fail({ ports }: Pick<RelayState, 'ports'>, message: string): void {
  ports.halt.stop({ kind: 'failed', message });
}

function remove({ flow }: RelayState, slot: Slot, rows: readonly ReadyRow[]): void {
  slot.queue.splice(0, rows.length);
  for (const row of rows) slot.bytes -= requestBytes(row);
  flow.leave(rows);
}

function settle(
  { ports: { ledger }, doubt }: RelayState,
  rows: readonly ReadyRow[],
  rejected: readonly Rejection[],
  duplicates: number,
): void {
  const issuesOf = new Map(rejected.map(({ id, issues }) => [splitId(id).seq, issues]));
  const taken = rows.filter(({ number }) => !issuesOf.has(number));
  if (taken.length > 0) doubt.taken();
  ledger.settle(taken, Math.min(duplicates, taken.length));
  for (const row of rows) {
    const issues = issuesOf.get(row.number);
    if (issues !== undefined) ledger.refuse(refusedAs(row, issues), 'destination');
  }
}

function pauseFor(
  state: RelayState,
  slot: Slot,
  { why, status, afterMs = 0 }: Extract<Outcome, { kind: 'retry' }>,
): number {
  const { ports, target, patience } = state;
  const now = ports.time.mono();
  const random = ports.chance.random();
  // This is how the import lane paces its senders. It is not a failure, however long it takes.
  if (status === PACED) patience.good(now);
  else if (patience.isOver(now, status !== undefined))
    fail(state, `${target.endpoint} takes no rows (${why}): check --relay, and that the relay runs`);
  slot.failures = status === PACED ? 1 : slot.failures + 1;
  return afterMs * (1 + SPREAD * random) || backoffMs(slot.failures, BACKOFF, random);
}

function refuse(
  state: RelayState,
  slot: Slot,
  rows: readonly ReadyRow[],
  { error, isMaybeOne }: Extract<Outcome, { kind: 'refused' }>,
): void {
  const [row] = rows;
  if (isMaybeOne && rows.length > 1) {
    slot.most = Math.ceil(rows.length / 2);
    return;
  }
  if (!isMaybeOne || row === undefined) {
    fail(state, messageOf(error, state.target));
    return;
  }
  const issues = [{ path: '', message: error.message }];
  const isRowsFault = state.doubt.refuse(refusedAs(row, issues));
  remove(state, slot, rows);
  if (!isRowsFault) fail(state, messageOf(error, state.target));
}

function messageOf({ code, message }: RelayError, { endpoint, tokenEnv }: RelayTarget): string {
  return code === 'invalid_token'
    ? `the relay refused the token: set ${tokenEnv} to the SERVER_TOKEN of ${endpoint}`
    : `${message}. Check --relay`;
}
