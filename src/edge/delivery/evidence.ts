import type { RecordKind } from '../../contract/record.ts';

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
};

export function noEvidence(): Evidence {
  return { takenAt: { user: 0, event: 0 }, triedAt: { user: 0, event: 0 }, isTroubled: false };
}
