import { ACCOUNT_REQUESTS_PER_MINUTE, MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import { MINUTE_MS } from '../../pacing/minute.ts';

/** How far an import is. */
export type Progress = {
  /** Rows that have ended, in this run and in earlier ones. */
  readonly rows: number;
  readonly of: number;
  /** Over the last half minute. */
  readonly rowsPerSecond: number;
  /** The part of the account's records a minute that these rows need, from 0 to 1. */
  readonly allowanceShare: number;
  /** Undefined while there is no rate to tell it by. */
  readonly secondsLeft: number | undefined;
};

type Sample = { readonly at: number; readonly rows: number; readonly sent: number };

const WINDOW_MS = 30_000;

const RECORDS_PER_MS = (ACCOUNT_REQUESTS_PER_MINUTE * MAX_BATCH_RECORDS) / MINUTE_MS;

/**
 * Measures progress from samples.
 *
 * @param first when the run began. Rows of earlier runs count as done, but not for the rate
 */
export function progressMeter(of: number, first: Sample): (sample: Sample) => Progress {
  const samples = [first];
  return (sample) => {
    samples.push(sample);
    while ((samples[1]?.at ?? sample.at) <= sample.at - WINDOW_MS) samples.shift();
    const [oldest = sample] = samples;
    const ms = Math.max(1, sample.at - oldest.at);
    const perMs = (sample.rows - oldest.rows) / ms;
    return {
      rows: sample.rows,
      of,
      rowsPerSecond: Math.round(perMs * 1_000),
      allowanceShare: Math.min(1, (sample.sent - oldest.sent) / ms / RECORDS_PER_MS),
      secondsLeft: perMs > 0 ? Math.ceil((of - sample.rows) / perMs / 1_000) : undefined,
    };
  };
}
