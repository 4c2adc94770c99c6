import type { Upstream } from '../../../edge/delivery/webengage.ts';
import type { ImportSource } from '../../read/source.ts';
import { createDoubt } from '../doubt.ts';
import { createFlow, type Flow } from '../flow.ts';
import type { ReadyRow } from '../ledger/ledger.ts';
import { createPatience } from '../patience.ts';
import type { Sender, SenderPorts } from '../sender.ts';
import { cutBatch } from './cut-batch.ts';
import { type DirectCalls, deliver, fail, note, sealed } from './delivery.ts';
import { createGate } from './gate.ts';

type Direct = DirectCalls & {
  readonly flow: Flow;
  queue: ReadyRow[];
  /** Persons with rows in calls under way. */
  readonly busy: Set<string>;
  underWay: number;
};

// At 700 ms an answer, six calls at once use 500 a minute.
const MAX_IN_FLIGHT = 6;

const LIMITS = { maxRows: 2_000, maxBytes: 16 * 1024 * 1024 };

/** Sends rows to WebEngage itself, in sealed batches at a limited rate. The ledger must have a journal. */
export function directSender(
  ports: SenderPorts,
  { upstream, requestsPerMinute }: { readonly upstream: Upstream; readonly requestsPerMinute: number },
): Sender {
  const { time, ledger, halt } = ports;
  const cut = new AbortController();
  const direct: Direct = {
    ports,
    upstream,
    gate: createGate(time, halt.signal, requestsPerMinute),
    doubt: createDoubt(ledger),
    patience: createPatience(time.mono()),
    flow: createFlow(LIMITS, ledger.settled.upTo, halt.signal, () => pump(direct)),
    cut: cut.signal,
    maxBytes: Number.POSITIVE_INFINITY,
    queue: [],
    busy: new Set(),
    underWay: 0,
  };
  return {
    resume: (readAgain) => resume(direct, readAgain),
    add: (row) => {
      direct.queue.push(row);
      direct.flow.enter(row);
      pump(direct);
    },
    hasRoom: direct.flow.hasRoom,
    room: direct.flow.room,
    finish: () => finish(direct),
    abort: () => cut.abort(),
  };
}

async function finish(direct: Direct): Promise<void> {
  const { flow, doubt } = direct;
  const { halt } = direct.ports;
  await flow.until(() => direct.underWay === 0 && (direct.queue.length === 0 || halt.signal.aborted));
  if (!halt.signal.aborted && !doubt.end())
    fail(direct, 'WebEngage refuses every row: check --license-code and --region');
}

/** Sends the batches that earlier runs have sealed, with the same rows under the same ids. */
async function resume(direct: Direct, readAgain: ImportSource['readAgain']): Promise<void> {
  const { ledger, halt } = direct.ports;
  const batches = [...ledger.sealed.values()].sort((a, b) => (a.rows[0] ?? 0) - (b.rows[0] ?? 0));
  const wanted = new Set(batches.flatMap(({ rows }) => rows));
  if (wanted.size === 0) return;
  const found = new Map<number, ReadyRow>();
  for await (const row of readAgain((number) => wanted.has(number))) {
    wanted.delete(row.number);
    if (row.ok) found.set(row.number, row);
    else ledger.refuse(row, 'check');
    if (wanted.size === 0) break;
  }
  // One after the other: halves of one batch may have rows of the same person.
  for (const batch of batches) {
    if (halt.signal.aborted) return;
    const rows = batch.rows.map((number) => found.get(number)).filter((row) => row !== undefined);
    if (rows.length === 0) ledger.unseal(batch.id);
    else await deliver(direct, batch, rows, true);
  }
}

function pump(direct: Direct): void {
  const { ports, flow, busy } = direct;
  while (!ports.halt.signal.aborted && direct.underWay < MAX_IN_FLIGHT) {
    const { rows, isFull } = cutBatch(direct.queue, busy, direct.maxBytes);
    if (rows.length === 0 || !(isFull || flow.isDraining())) return;
    void send(direct, rows);
  }
}

async function send(direct: Direct, rows: readonly ReadyRow[]): Promise<void> {
  const { busy, flow } = direct;
  const going = new Set(rows);
  direct.queue = direct.queue.filter((row) => !going.has(row));
  direct.underWay += 1;
  for (const { person } of rows) busy.add(person);
  const batch = sealed(direct, rows);
  if (await note(direct, [batch])) await deliver(direct, batch, rows);
  for (const { person } of rows) busy.delete(person);
  direct.underWay -= 1;
  flow.leave(rows);
  pump(direct);
}
