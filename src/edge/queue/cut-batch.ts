import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { RecordKind } from '../../contract/record.ts';
import type { Run } from './run.ts';

/** Some records of one run: from `from` up to, but not including, `to`. */
export type Slice = {
  readonly seq: number;
  readonly device: string;
  readonly from: number;
  readonly to: number;
};

/** What a batch consists of. */
export type Cut = { readonly kind: RecordKind; readonly members: readonly Slice[] };

export type CutStep =
  /** `dueFrom`: when each browser whose run ends with this batch is due next. */
  | { readonly step: 'cut'; readonly cut: Cut; readonly dueFrom: ReadonlyMap<string, number> }
  /** No batch is full, and none has lingered long enough. At `until`, one has. */
  | { readonly step: 'wait'; readonly until: number }
  /** No record waits, except in sealed batches. */
  | { readonly step: 'rest' };

export type CutRules = {
  readonly lingerMs: number;
  /**
   * Kinds that a batch may be cut of. A record of the other kind still holds back its browser's later ones.
   */
  readonly kinds?: readonly RecordKind[];
  /** When a browser is due at the earliest, because of what it has sent before. */
  readonly dueFrom?: (device: string) => number;
  /** How long after a record the next one of its browser is due. */
  readonly msPerRecord?: number;
  /** 25, or fewer. */
  readonly maxRecords?: number;
};

/**
 * Cuts the next batch: up to 25 records of one kind, in the order in which they are due, from as many
 * browsers as that takes. Passes over a browser with an older unsent record of the other kind. So one
 * browser's records arrive in the order they were made, though users and events go to two endpoints.
 *
 * A run is due when it arrives. A browser that sends faster than `msPerRecord` is due as if it had kept to
 * that pace, and so gets what others leave. (Zhang's virtual clock: https://doi.org/10.1145/99517.99525)
 *
 * @param runs of browsers with nothing in flight, each browser's oldest first. No more are read than
 *   necessary: in the order of arrival, the first few fill a batch, however many wait
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
    // Later runs arrived later, so none of them is due before this moment. Only replayed records would be,
    // but they go behind the others anyway.
    const isFull = ({ sizeDueBy }: Candidate) => sizeDueBy(run.at) >= MAX_BATCH_RECORDS;
    if (first !== undefined && isFull(first)) return first.cut();
    // The kind that is due first keeps filling once it has lingered long enough. Before that, the full one
    // does not wait for it.
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
  /** How many of its records are due by `at`. */
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
      // One browser fills at most one batch: its other records come after.
      if (blocked.has(device) || before.records >= MAX_BATCH_RECORDS) return;
      // A partly sent run keeps its due time. Its browser becomes due later only when the run ends.
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
