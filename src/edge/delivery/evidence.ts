import type { RecordKind } from '../../contract/record.ts';
import { type BoundedMap, boundedMap } from '../limits/bounded-map.ts';
import { type Suspects, suspects } from './suspects.ts';

/**
 * What an outbox has recently seen of WebEngage. Users and events are separate, because one of the two calls
 * may be accepted while the other is not. A cache: an evicted outbox learns it again.
 */
export type Evidence = {
  /** When a call of each kind was last accepted. */
  readonly takenAt: Record<RecordKind, number>;
  /** When a trial batch of each kind was last cut, although batches of that kind fail. */
  readonly triedAt: Record<RecordKind, number>;
  /** True from a refused call until the next accepted one, which is then reported to the gate. */
  isTroubled: boolean;
  readonly suspects: Suspects;
  /**
   * The second half of a refused batch, by the request id of the first half. Once WebEngage accepts the
   * first, the fault is in the second.
   */
  readonly secondHalves: BoundedMap<{ readonly requestId: string; readonly attempts: number }>;
  /**
   * The attempts that each part of a refused batch was sealed with, by request id. A part with no more
   * attempts than that was never sent by itself.
   */
  readonly sealedWith: BoundedMap<number>;
  /**
   * Where the last search for a refused record was: in a part of a refused batch, or in parked records. They
   * take turns.
   */
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
