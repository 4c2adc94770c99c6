import type { RecordKind } from '../../contract/record.ts';
import { type BoundedMap, boundedMap } from '../limits/bounded-map.ts';
import { type Suspects, suspects } from './suspects.ts';

/**
 * What an outbox has lately seen of WebEngage, for each of the two calls: one of them may be taken where the other is not.
 * A cache: an outbox that was evicted finds it out anew.
 */
export type Evidence = {
  /** When a call was taken last. */
  readonly takenAt: Record<RecordKind, number>;
  /** When a batch was last cut in spite of all that fail. */
  readonly triedAt: Record<RecordKind, number>;
  /** True where a call was refused, and none was taken since of which the gate was told. */
  isTroubled: boolean;
  readonly suspects: Suspects;
  /** Of the two halves of a refused batch: the second by the first. Once the first is taken, the fault is in the second. */
  readonly secondHalves: BoundedMap<{ readonly requestId: string; readonly attempts: number }>;
  /** Of each part of a refused batch: the attempts that it was sealed with. One that has no more was never sent by itself. */
  readonly sealedWith: BoundedMap<number>;
  /** What was last looked for a refused record in: a part of a refused batch, or records that are parked. They take turns. */
  isolated: 'part' | 'parked';
};

const MAX_HALVES = 5_000;

export function noEvidence(): Evidence {
  return {
    takenAt: { user: 0, event: 0 },
    triedAt: { user: 0, event: 0 },
    isTroubled: false,
    suspects: suspects(),
    secondHalves: boundedMap(MAX_HALVES),
    sealedWith: boundedMap(MAX_HALVES),
    isolated: 'parked',
  };
}
