import type { UserRecord } from '../../contract/record.ts';

type UserFields = Omit<UserRecord, 'id' | 'age'> & { readonly userId: string };

/** Who the visitor is, as far as this browser knows. Kept across visits, one for all tabs. */
export type Identity = {
  /** This browser's buffer, by its random id: the relay knows a record that comes twice by it. */
  readonly device: string;
  /** How often it was changed, by all pages. */
  readonly changes: number;
  /** Random; goes with records until a `userId` is known. */
  readonly anonymousId: string;
  readonly userId?: string;
  /** What WebEngage has been told about `userId` from here. */
  readonly told: Partial<UserFields>;
};

export function anonymous(device: string, anonymousId: string): Identity {
  return { device, changes: 0, anonymousId, told: {} };
}

/** The one id that goes with a record of this visitor. */
export function visitorOf({ userId, anonymousId }: Identity): { userId: string } | { anonymousId: string } {
  return userId ? { userId } : { anonymousId };
}

/**
 * The identity after an `identify`; the one before, itself, where the call said nothing new.
 * Calls add up: a field told in an earlier call and not since changed is not new.
 */
export function identified(before: Identity, fields: UserFields): Identity {
  const { userId } = fields;
  const told = before.userId === userId ? before.told : {};
  const attributes = { ...told.attributes, ...fields.attributes };
  const after = { ...before, userId, told: { ...told, ...fields, attributes } };
  // What was there keeps its place, so that only news makes another text.
  return JSON.stringify(after) === JSON.stringify(before) ? before : after;
}
