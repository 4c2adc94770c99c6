import { ownFields } from '../record/own-fields.ts';
import type { AddOn, Consent } from './add-on.ts';
import { pendingCalls } from './pending-calls.ts';

export type ConsentOptions = {
  /**
   * What holds on this page until `optIn()` or `optOut()` is called. `pending`: calls wait in memory, and nothing is opened,
   * read, kept or sent. `denied`: calls make nothing. `granted`: calls are made.
   *
   * @default 'pending'
   */
  readonly initial?: Consent;

  /**
   * Takes Global Privacy Control for `denied`, whatever `initial` says, until `optIn()` is called.
   *
   * @default false
   */
  readonly respectGpc?: boolean;
};

/**
 * Has the tracker ask first. Throws a `RangeError` for a value that it does not know: a misspelt `pending` must not track.
 */
export function consent(options: ConsentOptions = {}): AddOn {
  const { initial = 'pending', respectGpc = false } = ownFields(options);
  if (initial !== 'pending' && initial !== 'denied' && initial !== 'granted')
    throw new RangeError(`consent must be pending, denied or granted, not ${initial}`);
  if (typeof respectGpc !== 'boolean')
    throw new RangeError(`respectGpc must be true or false, not ${respectGpc}`);

  return {
    consent: {
      initial: (sendsGpc) => (respectGpc && sendsGpc() ? 'denied' : initial),
      pending: pendingCalls,
    },
  };
}
