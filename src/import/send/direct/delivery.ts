import { verdictOf } from '../../../edge/delivery/verdict.ts';
import type { Upstream, UpstreamAnswer } from '../../../edge/delivery/webengage.ts';
import { backoffMs } from '../../../pacing/backoff.ts';
import type { Doubt } from '../doubt.ts';
import { sleep } from '../halt.ts';
import { LedgerError, type ReadyRow } from '../ledger/ledger.ts';
import type { SealedBatch } from '../ledger/ledger-state.ts';
import type { Patience } from '../patience.ts';
import { refusedAs, type SenderPorts } from '../sender.ts';
import type { DirectGate } from './gate.ts';

/** What calls to WebEngage need. */
export type DirectCalls = {
  readonly ports: SenderPorts;
  readonly upstream: Upstream;
  readonly gate: DirectGate;
  readonly doubt: Doubt;
  readonly patience: Patience;
  /** Ends all calls. */
  readonly cut: AbortSignal;
  /** The most bytes of a call, as 413 has taught them. */
  maxBytes: number;
};

/** What became of a batch. `halted`: it is not decided, and stays sealed. */
type Fate = 'taken' | 'refused' | 'halted';

const BACKOFF = { baseMs: 1_000, capMs: 60_000 };

// No call is cut smaller than this, whatever 413 says.
const LEAST_BYTES = 4_096;

export function fail({ ports }: Pick<DirectCalls, 'ports'>, message: string): 'halted' {
  ports.halt.stop({ kind: 'failed', message });
  return 'halted';
}

/** Seals rows in a batch of their own. Its call may leave once the ledger is flushed. */
export function sealed({ ports }: DirectCalls, rows: readonly ReadyRow[]): SealedBatch {
  const id = Array.from(ports.chance.bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const kind = rows[0]?.kind ?? 'event';
  return { id, kind, rows: rows.map(({ number }) => number) };
}

/** Notes sealed batches on disk. Returns false if the disk fails, which halts the run. */
export async function note(
  calls: DirectCalls,
  batches: readonly SealedBatch[],
  instead?: string,
): Promise<boolean> {
  const { ledger } = calls.ports;
  ledger.seal(batches, instead);
  try {
    await ledger.flush();
    return true;
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    fail(calls, error.message);
    return false;
  }
}

/**
 * Sends a sealed batch until it is decided, as it was sealed each time. A refused one is halved to the row at fault.
 *
 * @param mayHaveArrived an earlier run may have made the call
 */
export async function deliver(
  calls: DirectCalls,
  batch: SealedBatch,
  rows: readonly ReadyRow[],
  mayHaveArrived = false,
): Promise<Fate> {
  const { ports, gate, patience } = calls;
  const { time, halt, chance, ledger } = ports;
  let isOpen = mayHaveArrived;
  for (let failures = 1; await gate.take(); ) {
    const answer = await call(calls, batch, rows);
    const verdict = verdictOf(answer, time.wall());
    switch (verdict.kind) {
      case 'taken':
        settle(calls, batch, rows);
        return 'taken';
      case 'paused':
        patience.good(time.mono());
        gate.pause(verdict.forMs);
        break;
      case 'unknown':
        isOpen = true;
        if (patience.isOver(time.mono(), answer.status > 0))
          return fail(calls, `WebEngage takes no rows (${saidBy(answer)}): try again later`);
        await sleep(time, backoffMs(failures++, BACKOFF, chance.random()), halt.signal);
        break;
      case 'too_large':
        calls.maxBytes = Math.max(LEAST_BYTES, Math.floor(Math.min(calls.maxBytes, answer.bytes) / 2));
        return rows.length > 1 ? deliverHalves(calls, batch, rows) : isolate(calls, batch, rows, answer);
      case 'refused':
        return isolate(calls, batch, rows, answer);
      case 'misconfigured':
        if (!isOpen) ledger.unseal(batch.id);
        return fail(
          calls,
          `WebEngage refuses the calls (${saidBy(answer)}): check WEBENGAGE_API_KEY, --license-code and --region`,
        );
    }
  }
  // WebEngage has none of the rows: the next run may cut them anew.
  if (!isOpen) ledger.unseal(batch.id);
  return 'halted';
}

function saidBy({ status, words }: Pick<UpstreamAnswer, 'status' | 'words'>): string {
  if (status === 0) return 'no answer';
  return words === '' ? `status ${status}` : `status ${status}: ${words}`;
}

function call(
  { upstream, cut }: DirectCalls,
  { id, kind }: SealedBatch,
  rows: readonly ReadyRow[],
): Promise<UpstreamAnswer> {
  const records = rows.map(({ json }) => {
    const { kind: _, ...record } = JSON.parse(json);
    return { id: '', ...record };
  });
  return upstream({ kind, requestId: id, records, key: 'primary', signal: cut });
}

function settle(
  { ports: { ledger, time }, doubt, patience }: DirectCalls,
  { id }: SealedBatch,
  rows: readonly ReadyRow[],
): void {
  patience.good(time.mono());
  doubt.taken();
  ledger.settle(rows);
  ledger.unseal(id);
}

/** Finds the row at fault in a batch that was refused for its rows. */
async function isolate(
  calls: DirectCalls,
  batch: SealedBatch,
  rows: readonly ReadyRow[],
  answer: UpstreamAnswer,
): Promise<Fate> {
  const [row] = rows;
  if (rows.length > 1 || row === undefined) return deliverHalves(calls, batch, rows, answer);
  const { ledger } = calls.ports;
  const issues = [{ path: '', message: `was refused by WebEngage (${saidBy(answer)})` }];
  ledger.unseal(batch.id);
  const isRowsFault = calls.doubt.refuse(refusedAs(row, issues));
  if (isRowsFault) return 'refused';
  return fail(
    calls,
    `WebEngage refused many rows in a row (${saidBy(answer)}): check --license-code and --region. None of these rows counts as refused`,
  );
}

/**
 * Resolves to what became of both: `taken` if WebEngage has all rows.
 *
 * @param refusal of the whole batch for its rows. Without it the batch was only too large
 */
async function deliverHalves(
  calls: DirectCalls,
  batch: SealedBatch,
  rows: readonly ReadyRow[],
  refusal?: UpstreamAnswer,
): Promise<Fate> {
  const middle = Math.ceil(rows.length / 2);
  const [first, second] = [rows.slice(0, middle), rows.slice(middle)];
  const [firstBatch, secondBatch] = [sealed(calls, first), sealed(calls, second)];
  if (!(await note(calls, [firstBatch, secondBatch], batch.id))) return 'halted';
  const fate = await deliver(calls, firstBatch, first);
  if (fate === 'halted') return fate;
  // WebEngage has the first half, so the fault is in the second: no need to send that whole.
  const isKnown = fate === 'taken' && refusal !== undefined;
  const other = await (isKnown
    ? isolate(calls, secondBatch, second, refusal)
    : deliver(calls, secondBatch, second));
  return other === 'taken' ? fate : other;
}
