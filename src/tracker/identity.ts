import type { UserRecord } from '../contract/record.ts';

/** Who the visitor is, as far as this browser knows. Kept across visits, one for all tabs. */
export type Identity = {
  /** Random; goes with records until a `userId` is known. */
  readonly anonymousId: string;
  readonly userId?: string;
  /** What WebEngage has been told about `userId` from here: field or attribute to its value as JSON. */
  readonly told: { readonly [path: string]: string };
};

export function anonymous(anonymousId: string): Identity {
  return { anonymousId, told: {} };
}

/** The one id that goes with a record of this visitor. */
export function visitorOf({ userId, anonymousId }: Identity): { userId: string } | { anonymousId: string } {
  return userId === undefined ? { anonymousId } : { userId };
}

function saidBy({ kind, userId, attributes, ...fields }: Omit<UserRecord, 'id' | 'age'>): Identity['told'] {
  const said = {
    ...fields,
    ...Object.fromEntries(
      Object.entries(attributes ?? {}).map(([name, value]) => [`attributes.${name}`, value]),
    ),
  };
  return Object.fromEntries(
    Object.entries(said).flatMap(([path, value]) =>
      value === undefined ? [] : [[path, JSON.stringify(value)]],
    ),
  );
}

/**
 * The identity after an `identify`, and whether the call said anything new.
 * Calls add up: a field told in an earlier call and not since changed is not new.
 */
export function identified(
  before: Identity,
  fields: Omit<UserRecord, 'id' | 'age'> & { readonly userId: string },
): { readonly identity: Identity; readonly news: boolean } {
  const said = saidBy(fields);
  const told = before.userId === fields.userId ? before.told : undefined;
  if (told !== undefined && Object.entries(said).every(([path, value]) => told[path] === value))
    return { identity: before, news: false };
  return { identity: { ...before, userId: fields.userId, told: { ...told, ...said } }, news: true };
}
