import { MAX_BATCH_RECORDS } from '../contract/batch.ts';
import type { RecordKind, Run } from './run.ts';

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
  | { readonly step: 'cut'; readonly cut: Cut }
  /** Nothing is full or has lingered; at `until` something has. */
  | { readonly step: 'wait'; readonly until: number }
  /** Nothing waits, but for what is sealed. */
  | { readonly step: 'rest' };

/**
 * Cuts the next batch: up to 25 records of one kind, oldest first, from as many browsers as it takes.
 * Passes over a browser that has an older record of the other kind unsent: what one browser sent arrives in the order it
 * was made, though users and events go to two endpoints.
 *
 * @param runs oldest first, of browsers that have nothing in flight. No more of them are read than it takes: under load
 *   the first few fill a batch, however many wait.
 * @param kinds of which a batch may be cut; those of the other still hold back what their browser made later
 */
export function cutBatch(
  runs: Iterable<Run>,
  lingerMs: number,
  now: number,
  kinds: readonly RecordKind[] = ['user', 'event'],
): CutStep {
  const candidates = kinds.map(candidate);
  const byAge = () => candidates.filter(({ size }) => size() > 0).sort((a, b) => a.oldestAt() - b.oldestAt());
  const isFull = ({ size }: Candidate) => size() === MAX_BATCH_RECORDS;
  const hasLingered = ({ oldestAt }: Candidate) => oldestAt() + lingerMs <= now;
  const cut = ({ kind, members }: Candidate): CutStep => ({ step: 'cut', cut: { kind, members } });

  for (const run of runs) {
    for (const each of candidates) each.offer(run);
    const [oldest, other] = byAge();
    if (oldest !== undefined && isFull(oldest)) return cut(oldest);
    // The older kind goes on filling where its time has come; else the full one need not wait for it.
    if (oldest !== undefined && other !== undefined && isFull(other) && !hasLingered(oldest))
      return cut(other);
  }

  const [oldest] = byAge();
  if (oldest === undefined) return { step: 'rest' };
  if (hasLingered(oldest)) return cut(oldest);
  return { step: 'wait', until: oldest.oldestAt() + lingerMs };
}

type Candidate = Cut & {
  readonly size: () => number;
  readonly oldestAt: () => number;
  readonly offer: (run: Run) => void;
};

function candidate(kind: RecordKind): Candidate {
  const blocked = new Set<string>();
  const members: Slice[] = [];
  let size = 0;
  let oldestAt = Number.POSITIVE_INFINITY;
  return {
    kind,
    members,
    size: () => size,
    oldestAt: () => oldestAt,
    offer: (run) => {
      if (run.kind !== kind) blocked.add(run.device);
      if (blocked.has(run.device) || size === MAX_BATCH_RECORDS) return;
      const to = Math.min(run.count, run.taken + MAX_BATCH_RECORDS - size);
      members.push({ seq: run.seq, device: run.device, from: run.taken, to });
      size += to - run.taken;
      oldestAt = Math.min(oldestAt, run.at);
    },
  };
}
