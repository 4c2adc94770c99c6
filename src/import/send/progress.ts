import { ACCOUNT_REQUESTS_PER_MINUTE, MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import { MINUTE_MS } from '../../pacing/minute.ts';

/** How far an import is. Accepted by a relay means stored there: it sends the last rows on within minutes. */
export type Progress = {
  /** Rows of the file. */
  readonly rows: number;
  /** Rows that the relay or WebEngage has accepted, in this run and in earlier ones. */
  readonly accepted: number;
  /** Rows that this run has refused. */
  readonly refused: number;
  /** Rows still to be sent. */
  readonly left: number;
  /** Accepted or refused, over the last half minute. */
  readonly rowsPerSecond: number;
  /**
   * The share of the account's calls that the accepted rows need at that rate, from 0 to 1. It stays at 1 while a relay
   * stores rows faster than it may send them.
   */
  readonly allowanceShare: number;
  /** At that rate. Undefined while it is 0. */
  readonly secondsLeft: number | undefined;
};

type Sample = { readonly at: number } & Pick<Progress, 'accepted' | 'refused'>;

const WINDOW_MS = 30_000;

const ALLOWED_PER_MS = (ACCOUNT_REQUESTS_PER_MINUTE * MAX_BATCH_RECORDS) / MINUTE_MS;

/**
 * Measures progress from samples.
 *
 * @param rows of the file
 * @param first when the run began. Rows of earlier runs count as done, but not for the rate
 */
export function progressMeter(rows: number, first: Sample): (sample: Sample) => Progress {
  const samples = [first];
  const ended = ({ accepted, refused }: Sample) => accepted + refused;
  return (sample) => {
    samples.push(sample);
    while ((samples[1]?.at ?? sample.at) <= sample.at - WINDOW_MS) samples.shift();
    const [oldest = sample] = samples;
    const ms = Math.max(1, sample.at - oldest.at);
    const perMs = (ended(sample) - ended(oldest)) / ms;
    const left = rows - ended(sample);
    return {
      rows,
      accepted: sample.accepted,
      refused: sample.refused,
      left,
      rowsPerSecond: Math.round(perMs * 1_000),
      allowanceShare: Math.min(1, (sample.accepted - oldest.accepted) / ms / ALLOWED_PER_MS),
      secondsLeft: perMs > 0 ? Math.ceil(left / perMs / 1_000) : undefined,
    };
  };
}
