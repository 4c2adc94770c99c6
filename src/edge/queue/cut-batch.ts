import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { RecordKind } from '../../contract/record.ts';
import type { Run } from './run.ts';

/** Some records of one run: from `from` up to, and without, `to`. */
export type Slice = {
  readonly seq: number;
  readonly device: string;
  readonly from: number;
  readonly to: number;
};

/** What a batch is made of. */
export type Cut = { readonly kind: RecordKind; readonly members: readonly Slice[] };

export type CutStep =
  /** `dueFrom`: from when those browsers are due whose runs come to an end with it. */
  | { readonly step: 'cut'; readonly cut: Cut; readonly dueFrom: ReadonlyMap<string, number> }
  /** Nothing is full or has lingered; at `until` something has. */
  | { readonly step: 'wait'; readonly until: number }
  /** Nothing waits, but for what is sealed. */
  | { readonly step: 'rest' };

export type CutRules = {
  readonly lingerMs: number;
  /** Of which a batch may be cut; those of the other still hold back what their browser made later. */
  readonly kinds?: readonly RecordKind[];
  /** From when a browser is due, for what it has sent before. */
  readonly dueFrom?: (device: string) => number;
  /** How long after a record the next one of its browser is due. */
  readonly msPerRecord?: number;
  /** 25, or fewer. */
  readonly maxRecords?: number;
};

/**
 * Cuts the next batch: up to 25 records of one kind from as many browsers as it takes, in the order in which they are due.
 * Passes over a browser that has an older record of the other kind unsent: what one browser sent arrives in the order it
 * was made, though users and events go to two endpoints.
 *
 * A run is due when it came; but a browser that sends faster than `msPerRecord` is due as though it had kept to that, and so
 * gets what others leave. (Zhang's virtual clock: https://doi.org/10.1145/99517.99525)
 *
 * @param runs of browsers that have nothing in flight, each browser's oldest first. No more of them are read than it takes: in
 *   the order in which they came, the first few fill a batch, however many wait
 */
export function cutBatch(runs: Iterable<Run>, rules: CutRules, now: number): CutStep {
  const { kinds = ['user', 'event'], lingerMs } = rules;
  const candidates = kinds.map((kind) => candidate(kind, rules));
  const inTurn = () =>
    candidates
      .filter(({ size }) => size() > 0)
      .sort((a, b) => a.firstDueAt() - b.firstDueAt() || a.oldestAt() - b.oldestAt());
  const hasLingered = ({ oldestAt }: Candidate) => oldestAt() + lingerMs <= now;

  for (const run of runs) {
    for (const each of candidates) each.offer(run);
    const [first, other] = inTurn();
    // What is read from here on is due no sooner than it came.
    const isFull = ({ sizeDueBy }: Candidate) => sizeDueBy(run.at) >= MAX_BATCH_RECORDS;
    if (first !== undefined && isFull(first)) return first.cut();
    // The kind that is due first goes on filling where its time has come; else the full one need not wait for it.
    if (first !== undefined && other !== undefined && isFull(other) && !hasLingered(first))
      return other.cut();
  }

  const waiting = inTurn();
  const ready = waiting.find((each) => each.size() >= MAX_BATCH_RECORDS || hasLingered(each));
  if (ready !== undefined) return ready.cut();
  const until = Math.min(...waiting.map(({ oldestAt }) => oldestAt() + lingerMs));
  return waiting.length > 0 ? { step: 'wait', until } : { step: 'rest' };
}

type Candidate = {
  readonly size: () => number;
  /** How many of its records are due by then. */
  readonly sizeDueBy: (at: number) => number;
  readonly firstDueAt: () => number;
  readonly oldestAt: () => number;
  readonly offer: (run: Run) => void;
  readonly cut: () => CutStep;
};

type DueRun = { readonly run: Run; readonly dueAt: number };

function candidate(
  kind: RecordKind,
  { dueFrom = () => 0, msPerRecord = 0, maxRecords = MAX_BATCH_RECORDS }: CutRules,
): Candidate {
  const blocked = new Set<string>();
  const shown = new Map<string, { readonly records: number; readonly dueFrom: number }>();
  const waiting: DueRun[] = [];
  let size = 0;
  let firstDueAt = Number.POSITIVE_INFINITY;
  let oldestAt = Number.POSITIVE_INFINITY;
  return {
    size: () => size,
    sizeDueBy: (at) => waiting.reduce((sum, { run, dueAt }) => (dueAt <= at ? sum + unsent(run) : sum), 0),
    firstDueAt: () => firstDueAt,
    oldestAt: () => oldestAt,
    offer: (run) => {
      const { device, count } = run;
      if (run.kind !== kind) blocked.add(device);
      const before = shown.get(device) ?? { records: 0, dueFrom: dueFrom(device) };
      // One browser's whole batch: whatever else it has comes after.
      if (blocked.has(device) || before.records >= MAX_BATCH_RECORDS) return;
      // A run that was begun is due as it was: its browser is due later once it has come to its end.
      const dueAt = Math.max(run.at, before.dueFrom);
      shown.set(device, { records: before.records + unsent(run), dueFrom: dueAt + count * msPerRecord });
      waiting.push({ run, dueAt });
      size += unsent(run);
      firstDueAt = Math.min(firstDueAt, dueAt);
      oldestAt = Math.min(oldestAt, run.at);
    },
    cut: () => {
      const members: Slice[] = [];
      const next = new Map<string, number>();
      let room = maxRecords;
      for (const { run, dueAt } of waiting.toSorted((a, b) => a.dueAt - b.dueAt || a.run.seq - b.run.seq)) {
        if (room === 0) break;
        const { seq, device, taken: from, count } = run;
        const to = Math.min(count, from + room);
        room -= to - from;
        members.push({ seq, device, from, to });
        if (to === count) next.set(device, dueAt + count * msPerRecord);
      }
      return { step: 'cut', cut: { kind, members }, dueFrom: next };
    },
  };
}

function unsent({ count, taken }: Run): number {
  return count - taken;
}
