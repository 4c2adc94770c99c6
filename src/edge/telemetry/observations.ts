import type { RefusalCode } from '../../contract/answer.ts';
import { addHistograms, amountsIn, emptyHistogram, type Histogram, observe } from './histogram.ts';
import type { Counts } from './throttled-count.ts';

/** Bounds of the times until a batch was answered with 202. Stored counts depend on them: never change one. */
export const ANSWER_BOUNDS_MS: readonly number[] = [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/** Bounds of the times from a record's storing until WebEngage accepted it. Never change one either. */
export const DELIVERY_BOUNDS_MS: readonly number[] = [
  2_000, 5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000,
];

/** Why a batch is refused: the code of its answer, or the one of several that status 400 stands for. */
export const REFUSED_BATCHES = [
  'invalid_batch',
  'invalid_token',
  'origin_not_allowed',
  'rate_limited',
  'too_large',
  'too_slow',
  'unavailable',
  'unsupported_media_type',
] as const satisfies readonly RefusalCode[];

export type RefusedBatch = (typeof REFUSED_BATCHES)[number];

/** What is counted only for `/metrics`: too little to bill a row for each, and none of it is a record's end. */
export type Observations = {
  /** How long batches took until they were answered with 202. */
  readonly answered: Histogram;
  /** Batches that were refused, by reason. */
  readonly refused: Counts<RefusedBatch>;
  /** How long delivered records had waited since they were stored, without imports. */
  readonly delivered: Histogram;
};

export const NOTHING_OBSERVED: Observations = {
  answered: emptyHistogram(ANSWER_BOUNDS_MS),
  refused: {},
  delivered: emptyHistogram(DELIVERY_BOUNDS_MS),
};

export function answeredIn(ms: number): Observations {
  return { ...NOTHING_OBSERVED, answered: observe(ANSWER_BOUNDS_MS, NOTHING_OBSERVED.answered, ms) };
}

export function refusedFor(reason: RefusedBatch): Observations {
  return { ...NOTHING_OBSERVED, refused: { [reason]: 1 } };
}

/** @param waits how long records had waited, and how many of them */
export function deliveredAfter(
  waits: readonly { readonly ms: number; readonly records: number }[],
): Observations {
  const delivered = waits.reduce(
    (all, { ms, records }) => observe(DELIVERY_BOUNDS_MS, all, ms, records),
    NOTHING_OBSERVED.delivered,
  );
  return { ...NOTHING_OBSERVED, delivered };
}

export function addObservations(a: Observations, b: Observations): Observations {
  const counted = REFUSED_BATCHES.map((reason) => [
    reason,
    (a.refused[reason] ?? 0) + (b.refused[reason] ?? 0),
  ]);
  return {
    answered: addHistograms(a.answered, b.answered),
    refused: Object.fromEntries(counted.filter(([, count]) => count !== 0)),
    delivered: addHistograms(a.delivered, b.delivered),
  };
}

export function isNothing({ answered, refused, delivered }: Observations): boolean {
  return amountsIn(answered) === 0 && amountsIn(delivered) === 0 && Object.keys(refused).length === 0;
}
