import { MAX_BODY_BYTES } from '../contract/batch.ts';
import type { Settings } from './options.ts';

/** A record that waits for the relay. */
export type Entry = {
  readonly slot: number;
  /** Of the record, the same through all tries. */
  readonly id: string;
  /** The record without id and age: a JSON object with at least its kind. */
  readonly json: string;
  /** The size of `json` in UTF-8. */
  readonly bytes: number;
  /** When the call was made, by the monotonic clock. It may be negative for a call of an earlier process. */
  readonly madeAt: number;
  /** When it joined its slot, by the monotonic clock. */
  readonly queuedAt: number;
  /** Called once the relay has stored the record, or with the reason why it never will. */
  readonly end: (error?: Error) => void;
};

/** One device of this client: its records go one request after the other, in order. */
export type Slot = {
  queue: Entry[];
  isSending: boolean;
  /** By the monotonic clock. */
  pausedUntil: number;
  /** Requests in a row that failed. */
  failures: number;
  /** The most records of the next request. Fewer while the slot looks for one that is refused. */
  most: number;
};

// Bytes of a body outside its records.
const ENVELOPE_BYTES = 100;

// Bytes of an id, an age and a comma.
const RECORD_BYTES = 80;

export type NextStep =
  | { readonly step: 'send'; readonly entries: readonly Entry[] }
  | { readonly step: 'wait'; readonly forMs: number }
  | { readonly step: 'rest' };

/** What a record takes of a request's body. `bytes`: the size of its JSON without id and age. */
export function requestBytes({ bytes }: { readonly bytes: number }): number {
  return RECORD_BYTES + bytes;
}

/** The first records of a queue, as many as one request takes. */
export function cutRequest<Queued extends { readonly bytes: number }>(
  queue: readonly Queued[],
  most: number,
): readonly Queued[] {
  let room = MAX_BODY_BYTES - ENVELOPE_BYTES;
  let count = 0;
  for (const record of queue) {
    room -= requestBytes(record);
    if (room < 0 || count === most) break;
    count += 1;
  }
  return queue.slice(0, count);
}

/**
 * What a slot does next.
 *
 * @param isFlushing no record waits for others
 */
export function nextStep(
  slot: Slot,
  now: number,
  { batchSize, maxWaitMs }: Pick<Settings, 'batchSize' | 'maxWaitMs'>,
  isFlushing: boolean,
): NextStep {
  const { queue, isSending, pausedUntil } = slot;
  const [oldest] = queue;
  if (oldest === undefined || isSending) return { step: 'rest' };
  const mayWait = queue.length < batchSize && !isFlushing;
  const dueAt = Math.max(pausedUntil, mayWait ? oldest.queuedAt + maxWaitMs : now);
  return dueAt > now
    ? { step: 'wait', forMs: dueAt - now }
    : { step: 'send', entries: cutRequest(queue, slot.most) };
}
