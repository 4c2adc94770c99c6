/** What an outbox has lately seen of WebEngage. A cache: one that was evicted finds it out anew. */
export type Evidence = {
  /** When a call was taken last. */
  takenAt: number;
  /** True where a call was refused, and none was taken since of which the gate was told. */
  isTroubled: boolean;
  /** When a batch was last cut in spite of all that fail. */
  triedAt: number;
};

export function noEvidence(): Evidence {
  return { takenAt: 0, isTroubled: false, triedAt: 0 };
}
