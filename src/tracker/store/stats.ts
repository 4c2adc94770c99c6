import type { Disposition, DropReason } from '../record/outcome.ts';
import { ownFields } from '../record/own-fields.ts';

/**
 * Counts of this browser's records by outcome. `tracked` is the sum of all the others.
 * They cover all tabs and visits since the buffer was created. They start again after an opt-out, or when the
 * browser deletes the site's data.
 */
export type TrackerStats = {
  readonly tracked: number;
  /** Still in the buffer. */
  readonly buffered: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly dropped: { readonly [reason in DropReason]: number };
};

/** How many records a buffer has ever taken, and how many ended in each way. The rest are still in it. */
export type Counts = { [end in Disposition | 'tracked']?: number };

/** Reads stored counts, without what a page has added to `Object.prototype`. */
export function readCounts(kept: unknown): Counts {
  return ownFields(kept as Counts);
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
