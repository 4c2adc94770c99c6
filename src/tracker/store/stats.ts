import type { Disposition, DropReason } from '../record/outcome.ts';
import { ownFields } from '../record/own-fields.ts';

/**
 * What has become of the records of this browser's buffer since it was first made: `tracked` is the sum of all the others.
 * Of all tabs and visits; a browser that forgets the site's data begins anew.
 */
export type TrackerStats = {
  readonly tracked: number;
  /** Still waiting. */
  readonly buffered: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly dropped: { readonly [reason in DropReason]: number };
};

/** How many records a buffer has ever taken, and how many have ended in each way. The rest waits in it. */
export type Counts = { [end in Disposition | 'tracked']?: number };

/** What storage holds of the counts, without what a page has put on `Object.prototype`. */
export function readCounts(kept: unknown): Counts {
  return ownFields<Counts>(typeof kept === 'object' ? kept : undefined);
}

export function statsOf(kept: unknown): TrackerStats {
  const {
    tracked = 0,
    delivered = 0,
    rejected = 0,
    expired = 0,
    over_max_records = 0,
    opted_out = 0,
  } = readCounts(kept);
  return {
    tracked,
    buffered: tracked - delivered - rejected - expired - over_max_records - opted_out,
    delivered,
    rejected,
    dropped: { expired, over_max_records, opted_out },
  };
}
