import { MINUTE_MS } from '../../../pacing/minute.ts';

/** How many runs a segment takes. An outbox that restarts reads the ids of these before it accepts a record. */
export const MAX_SEGMENT_RUNS = 10_000;

/** How long a segment takes runs. What is delivered stays in it for so long, and for as long again until it is dropped. */
export const MAX_SEGMENT_AGE_MS: number = 15 * MINUTE_MS;
