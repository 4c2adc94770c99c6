/** Why a call's record is not with the relay. The list is closed. */
export type RelayErrorCode =
  /** The relay gave no answer, or was busy, for as long as `giveUpAfterMs`. */
  | 'unavailable'
  /** The relay refused the token. */
  | 'invalid_token'
  /** The answer is not a relay's: `endpoint` is wrong, or something on the way answers. */
  | 'not_a_relay'
  /** The relay refused the whole request. */
  | 'refused'
  /** The journal can't be opened or written. */
  | 'journal'
  /** The client was closed. */
  | 'closed';

/**
 * Why a call's record is not with the relay, and what to do. It contains no token and no value of the record.
 * If an answer was lost, the record may be stored all the same: with a `messageId` it is safe to make the call again.
 */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  declare readonly code: RelayErrorCode;

  constructor(code: RelayErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
