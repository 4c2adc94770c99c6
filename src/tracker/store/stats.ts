import type { DropReason } from '../engine/events.ts';
import { type Counts, waiting } from './record-store.ts';

/**
 * What has become of the records of this browser's buffer, since it was first made: `made` is the sum of all others.
 * Of all tabs and visits; a browser that forgets the site's data begins anew.
 */
export type TrackerStats = {
  readonly made: number;
  /** Still waiting. */
  readonly buffered: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly dropped: { readonly [reason in DropReason]: number };
};

export function statsOf(kept: unknown): TrackerStats {
  const counts = (kept ?? {}) as Counts;
  const { made = 0, delivered = 0, rejected = 0, expired = 0, over_max_records = 0, opted_out = 0 } = counts;
  return {
    made,
    buffered: waiting(counts),
    delivered,
    rejected,
    dropped: { expired, over_max_records, opted_out },
  };
}
