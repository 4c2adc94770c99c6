import { bare } from './own-fields.ts';

/** The visitor, the browser's buffer and the visitor's choice: one for all tabs and visits, kept in the database. */
export type Visitor = {
  /** How often the visitor has opted out or in: odd while the visitor is out. */
  readonly choices: number;
  /** This browser's buffer, by its random id: the relay recognizes a record that comes twice by it. */
  readonly device: string;
  /** Random; goes with records until a `userId` is known. */
  readonly anonymousId: string;
  readonly userId?: string | undefined;
  /** How often the fields above have changed. */
  readonly changes: number;
  /** The visitor's clock minus the relay's, in milliseconds, as the last answers taught it. */
  readonly clockOffset?: number | undefined;
  /** The last call applied of each page load, the newest last: a call that arrives twice counts once. */
  readonly applied: readonly (readonly [pageLoad: string, lastCall: number])[];
  /** The fields of the last `identify` calls, as JSON texts: a call that repeats them makes no record. */
  readonly reported?: Reported | undefined;
};

type Reported = readonly (readonly [field: string, json: string])[];

export function isOut({ choices }: Pick<Visitor, 'choices'>): boolean {
  return choices % 2 === 1;
}

/** No visitor yet: of a browser without a database, or one that is new. */
export const NO_VISITOR: Visitor = bare({
  choices: 0,
  device: '',
  anonymousId: '',
  changes: 0,
  applied: [],
});

/** What storage is to hold of the visitor: of one who is out nothing but that. */
export function toStored(visitor: Visitor): Pick<Visitor, 'choices' | 'changes'> {
  const { choices, changes } = visitor;
  return isOut(visitor) ? { choices, changes } : visitor;
}

/** What storage holds of the visitor. Anything may lie there. */
export function readVisitor(value: unknown): Visitor {
  const kept = bare({ ...NO_VISITOR, ...(typeof value === 'object' ? value : undefined) });
  return typeof kept.device === 'string' && kept.choices >= 0 && kept.changes >= 0 ? kept : NO_VISITOR;
}
