/**
 * The closed list of what the relay counts, since its outbox began.
 *
 * Records: `entered + requeued = delivered + dead_letter + erased` + the waiting ones. Calls: their number is the
 * sum of `taken` to `too_large`.
 */
const COUNTED = [
  // Records, by their outcome on arrival.
  'entered',
  'duplicate',
  'rejected',
  'expired',
  // The entered records that name a user without an identity token for that user.
  'unverified',
  // Records, by their final outcome.
  'delivered',
  'dead_letter',
  // Waiting records of a person who was erased.
  'erased',
  // Dead letters: requeued because the records were not at fault, and replayed or discarded by the operator.
  // Erased and expired ones are discarded.
  'requeued',
  'replayed',
  'discarded',
  // Calls, by WebEngage's answer.
  'taken',
  'refused',
  'paused',
  'misconfigured',
  'unknown',
  'too_large',
  // The accepted calls that were answered with a status other than `queued`.
  'unfamiliar',
] as const;

type Counted = (typeof COUNTED)[number];
export type Totals = Readonly<Record<Counted, number>>;

export const NOTHING: Totals = Object.fromEntries(COUNTED.map((name) => [name, 0])) as Record<
  Counted,
  number
>;

/** Records that wait to be sent. */
export function waiting({ entered, requeued, delivered, dead_letter, erased }: Totals): number {
  return entered + requeued - delivered - dead_letter - erased;
}

/** Records that are in the dead letters now. */
export function deadLetters({ dead_letter, requeued, replayed, discarded }: Totals): number {
  return dead_letter - requeued - replayed - discarded;
}

export function sum(totals: Totals, added: Partial<Totals>): Totals {
  return mapTotals((name) => totals[name] + (added[name] ?? 0));
}

export function difference(later: Totals, earlier: Totals): Totals {
  return mapTotals((name) => later[name] - earlier[name]);
}

export function mapTotals(amountOf: (name: Counted) => number): Totals {
  return Object.fromEntries(COUNTED.map((name) => [name, amountOf(name)])) as Record<Counted, number>;
}
