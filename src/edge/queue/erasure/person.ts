import type { StoredRecord } from '../run.ts';

/** One person, by one of the two ids that a record may have. */
export type Person = { readonly userId: string } | { readonly anonymousId: string };

/** The field of the person's id, and the id. */
export function idOfPerson(person: Person): readonly [field: 'userId' | 'anonymousId', id: string] {
  return 'userId' in person ? ['userId', person.userId] : ['anonymousId', person.anonymousId];
}

/** The people whom a record names. A record with both ids belongs to two. */
export function peopleOf({ userId, anonymousId }: StoredRecord): readonly Person[] {
  return [
    ...(typeof userId === 'string' ? [{ userId }] : []),
    ...(typeof anonymousId === 'string' ? [{ anonymousId }] : []),
  ];
}

/** A text that each stored record of the person contains. Other records may contain it in their attributes. */
export function textOfPerson(person: Person): string {
  const [field, id] = idOfPerson(person);
  return `${JSON.stringify(field)}:${JSON.stringify(id)}`;
}

export function isOfPerson(record: StoredRecord, person: Person): boolean {
  const [field, id] = idOfPerson(person);
  return record[field] === id;
}
