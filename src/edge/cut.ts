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

type Candidate = Cut & { readonly count: number; readonly oldestAt: number };

/**
 * Cuts the next batch: up to 25 records of one kind, oldest first, from as many browsers as it takes.
 * Passes over a browser that has an older record of the other kind unsent: what one browser sent arrives in the order it
 * was made, though users and events go to two endpoints.
 *
 * @param runs oldest first, of browsers that have nothing in flight
 */
export function cutBatch(runs: readonly Run[], lingerMs: number, now: number): CutStep {
  const candidates = (['user', 'event'] as const)
    .map((kind) => candidateOf(kind, runs))
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.oldestAt - b.oldestAt);

  const isReady = ({ count, oldestAt }: Candidate) =>
    count === MAX_BATCH_RECORDS || oldestAt + lingerMs <= now;
  const ready = candidates.find(isReady);
  if (ready !== undefined) return { step: 'cut', cut: { kind: ready.kind, members: ready.members } };

  const next = candidates[0];
  return next === undefined ? { step: 'rest' } : { step: 'wait', until: next.oldestAt + lingerMs };
}

function candidateOf(kind: RecordKind, runs: readonly Run[]): Candidate {
  const blocked = new Set<string>();
  const members: Slice[] = [];
  let count = 0;
  let oldestAt = Number.POSITIVE_INFINITY;

  for (const run of runs) {
    if (count === MAX_BATCH_RECORDS) break;
    if (blocked.has(run.device)) continue;
    if (run.kind !== kind) {
      blocked.add(run.device);
      continue;
    }
    const to = Math.min(run.count, run.taken + MAX_BATCH_RECORDS - count);
    members.push({ seq: run.seq, device: run.device, from: run.taken, to });
    count += to - run.taken;
    oldestAt = Math.min(oldestAt, run.at);
  }
  return { kind, members, count, oldestAt };
}
