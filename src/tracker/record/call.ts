/**
 * One call of the page, as plain values that a database and `localStorage` can hold. It becomes a record once it is known
 * whose it is: `reset` becomes none.
 */
export type Call = {
  readonly kind: 'event' | 'user' | 'reset';
  /** `<session>.<seq>`: the page load, and the number of the call within it. */
  readonly id: string;
  /** When the call was made, by the visitor's own clock. */
  readonly wall: number;
  /** The same by a clock that does not jump, and means nothing beyond its page load. */
  readonly mono: number;
  /** The same by the relay's clock, as well as the page knew it. Absent until the database has been read. */
  readonly at?: number | undefined;
  /** The device by which a page that wrote it down may have sent it. */
  readonly device?: string | undefined;
  /** The fields of the record but its id and visitor: JSON text without the outer braces. */
  readonly json: string;
  /** Of `identify`: who signs in. Of a record: whose it is. */
  readonly userId?: string | undefined;
  /** Of `identify`: its fields, to see whether they are new. Not written down. */
  readonly fields?: readonly (readonly [name: string, json: string])[] | undefined;
  /** How often the visitor had opted out or in when the call was made, where the page knew. */
  readonly choices?: number | undefined;
  /** Of `reset`: the next visitor. Of a record: whose it is. */
  readonly anonymousId?: string | undefined;
};

/** A call that has become a record. */
export type Entry = Call & { readonly at: number };

/** An entry under the key of its row. Keys grow with every append; entries made in one task can share one. */
export type StoredEntry = Entry & { readonly key: number };
