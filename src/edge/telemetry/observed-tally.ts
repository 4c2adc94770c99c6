import { addObservations, NOTHING_OBSERVED, type Observations } from './observations.ts';
import { type StoredTally, storedTally } from './stored-tally.ts';

/** The observations of one object. */
export function observedTally(): StoredTally<Observations> {
  return storedTally('observed', NOTHING_OBSERVED, addObservations);
}
