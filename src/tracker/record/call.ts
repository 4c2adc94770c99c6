/**
 * One call of the page, as plain values that a database and `localStorage` can hold.
 * It becomes a record once its visitor is known. A `reset` never becomes one.
 */
export type Call = {
  readonly kind: 'event' | 'user' | 'reset';
  /** `<session>.<seq>`: the page load, and the call's number within it. */
  readonly id: string;
  /** When the call was made, by the visitor's own clock. */
  readonly wall: number;
  /** The same by the monotonic clock, which means nothing outside its page load. */
  readonly mono: number;
  /** The same by the relay's clock, as well as the page knew it. Absent until the call becomes a record. */
  readonly at?: number | undefined;
  /** The device id with which a page that spilled the call may have sent it. */
  readonly device?: string | undefined;
  /** The fields of the record except its id and visitor: JSON text without the outer braces. */
  readonly json: string;
  /** For `identify`: the user who signs in. For a record: its user. */
  readonly userId?: string | undefined;
  /** For `identify`: its fields, to see whether they are new. Never stored. */
  readonly fields?: readonly (readonly [name: string, json: string])[] | undefined;
  /** How often the visitor had opted out or in when the call was made, if the page knew. */
  readonly choices?: number | undefined;
  /** For `reset`: the next visitor. For a record: its anonymous visitor. */
  readonly anonymousId?: string | undefined;
};

/** A call that has become a record. */
export type Entry = Call & { readonly at: number };

/**
 * An entry with the key of its row. Keys grow with every append. Entries made in one task can share a row.
 */
export type StoredEntry = Entry & { readonly key: number };
