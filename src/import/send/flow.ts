/** The rows in memory: how many there may be, and whether more will come. */
export type Flow = {
  readonly enter: (row: { readonly number: number; readonly bytes: number }) => void;
  readonly leave: (rows: readonly { readonly bytes: number }[]) => void;
  /** True while no more rows come: a batch that is not full may leave. */
  readonly isDraining: () => boolean;
  readonly hasRoom: () => boolean;
  /** Resolves when there is room, or the run is halted. */
  readonly room: () => Promise<void>;
  /** Resolves when a condition holds, and asks again whenever rows leave. No more rows come meanwhile. */
  readonly until: (holds: () => boolean) => Promise<void>;
  /** Asks the waiting side to look again. */
  readonly wake: () => void;
};

export type FlowLimits = { readonly maxRows: number; readonly maxBytes: number };

// How far rows may be read ahead of the first one that is not settled. It bounds what the ledger remembers.
const MAX_AHEAD_ROWS = 65_536;

/** @param onDrain runs when no more rows come for now */
export function createFlow(
  { maxRows, maxBytes }: FlowLimits,
  settledUpTo: () => number,
  halted: AbortSignal,
  onDrain: () => void,
): Flow {
  let rows = 0;
  let bytes = 0;
  let lastNumber = 0;
  let isDraining = false;
  let wake = () => {};
  halted.addEventListener('abort', () => wake());

  // Without a row in memory, nothing would ever make room: the first unsettled row may be in doubt until a later one
  // is taken.
  const hasRoom = () =>
    rows === 0 || (rows < maxRows && bytes < maxBytes && lastNumber - settledUpTo() < MAX_AHEAD_ROWS);
  const until = async (holds: () => boolean) => {
    isDraining = true;
    onDrain();
    while (!holds())
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    isDraining = false;
  };
  return {
    enter: (row) => {
      rows += 1;
      bytes += row.bytes;
      lastNumber = row.number;
    },
    leave: (left) => {
      rows -= left.length;
      for (const row of left) bytes -= row.bytes;
      wake();
    },
    isDraining: () => isDraining,
    hasRoom,
    room: () => until(() => hasRoom() || halted.aborted),
    until,
    wake: () => wake(),
  };
}
