import { bare } from './own-fields.ts';

/**
 * The visitor, the browser's buffer and the visitor's choice: one for all tabs and visits,
 * stored in the database.
 */
export type Visitor = {
  /** How often the visitor has opted out or in. Odd while opted out. */
  readonly choices: number;
  /** The random id of this browser's buffer, by which the relay recognizes a record that arrives twice. */
  readonly device: string;
  /** Random, or supplied by the site. Sent with records until a `userId` is known. */
  readonly anonymousId: string;
  /** The id that the site has supplied last. It is never given to a second visitor. */
  readonly supplied?: string | undefined;
  readonly userId?: string | undefined;
  /** How often the fields above have changed. */
  readonly changes: number;
  /** The visitor's clock minus the relay's, in milliseconds, by the last responses. */
  readonly clockOffset?: number | undefined;
  /** The last call applied of each page load, newest last. A call that arrives twice counts once. */
  readonly applied: { readonly [pageLoad: string]: number };
  /** The fields of the last `identify` calls, as JSON texts. A call that repeats them makes no record. */
  readonly reported?: { readonly [field: string]: string } | undefined;
};

export function isOut({ choices }: Pick<Visitor, 'choices'>): boolean {
  return choices % 2 === 1;
}

// Marked as pure: otherwise a bundle that does not use it would keep the call.
/** No visitor yet: in a new browser, or one without a database. */
export const NO_VISITOR: Visitor = /* @__PURE__ */ bare({
  choices: 0,
  device: '',
  anonymousId: '',
  changes: 0,
  applied: {},
});

/** What to store of a visitor. Of one who has opted out, only that. */
export function toStored(visitor: Visitor): Pick<Visitor, 'choices' | 'changes'> {
  const { choices, changes } = visitor;
  return isOut(visitor) ? { choices, changes } : visitor;
}

/** Reads a stored visitor. Anything may be stored there. */
export function readVisitor(value: unknown): Visitor {
  const kept = bare({ ...NO_VISITOR, ...(value as Partial<Visitor>) });
  return typeof kept.device === 'string' && kept.choices >= 0 && kept.changes >= 0 ? kept : NO_VISITOR;
}
