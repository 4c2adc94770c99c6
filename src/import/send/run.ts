import type { ServerPlatform } from '../../server/platform.ts';
import type { ImportSource } from '../read/source.ts';
import { type Halt, type Halted, sleep } from './halt.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Sender } from './sender.ts';

export type Ended = { readonly kind: 'complete' } | Halted;

export type RunPorts = {
  readonly time: ServerPlatform['time'];
  readonly source: ImportSource;
  readonly sender: Sender;
  readonly ledger: Ledger;
  readonly halt: Halt;
  /** Remove the journal once every row has arrived or is refused. */
  readonly removesJournal: boolean;
  /** Runs every second. */
  readonly onTick: () => void;
};

const TICK_MS = 1_000;

// How long calls under way may take for their answers once the run is halted.
const GRACE_MS = 5_000;

// Beyond this, lines about refused rows are written before more rows are read.
const MAX_PENDING_LENGTH = 1024 * 1024;

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Sends the rows of a file that no earlier run has sent. Never rejects. */
export async function runImport(ports: RunPorts): Promise<Ended> {
  const { time, source, sender, ledger, halt, removesJournal } = ports;
  const over = new AbortController();
  let cancelGrace = () => {};
  halt.signal.addEventListener('abort', () => {
    cancelGrace = time.timer(sender.abort, GRACE_MS);
  });
  const ticking = tick(ports, over.signal);
  const fails = (error: unknown) => halt.stop({ kind: 'failed', message: messageOf(error) });

  const resumed = new Set([...ledger.sealed.values()].flatMap(({ rows }) => rows));
  await sender.resume?.(source.readAgain).catch(fails);
  await readRows(ports, resumed).catch(fails);
  await sender.finish();
  cancelGrace();
  over.abort();
  await ticking;
  const isDone = halt.reason() === undefined && removesJournal;
  // A journal that knows of no row would only bind the next run to a setting that was wrong.
  const isUseless = ledger.report().good === 0 && ledger.sealed.size === 0 && halt.reason() !== undefined;
  await (isDone || isUseless ? ledger.remove() : ledger.close()).catch(fails);
  return halt.reason() ?? { kind: 'complete' };
}

/** @param resumed rows that were sent already: if one was refused, later rows decide whether it is at fault */
async function readRows(
  { source, sender, ledger, halt }: RunPorts,
  resumed: ReadonlySet<number>,
): Promise<void> {
  const { settled } = ledger;
  if (halt.signal.aborted || settled.upTo() === source.rows) return;
  for await (const row of source.read((number) => !settled.has(number) && !resumed.has(number))) {
    if (halt.signal.aborted) return;
    if (row.ok) sender.add(row);
    else ledger.refuse(row, 'check');
    if (ledger.pendingLength() > MAX_PENDING_LENGTH) await ledger.flush();
    if (!sender.hasRoom()) await sender.room();
  }
}

async function tick({ time, ledger, halt, onTick }: RunPorts, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await sleep(time, TICK_MS, over);
    onTick();
    await ledger.flush().catch((error) => halt.stop({ kind: 'failed', message: messageOf(error) }));
  }
}
