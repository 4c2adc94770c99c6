import type { StoredRecord } from '../run.ts';

/** One person, by one of the two ids that a record may have. */
export type Person = { readonly userId: string } | { readonly anonymousId: string };

/** Which id it is, and the id. */
export function idOfPerson(person: Person): readonly [field: 'userId' | 'anonymousId', id: string] {
  return 'userId' in person ? ['userId', person.userId] : ['anonymousId', person.anonymousId];
}

/** The people that a record names: one with both ids belongs to both. */
export function peopleOf({ userId, anonymousId }: StoredRecord): readonly Person[] {
  return [
    ...(typeof userId === 'string' ? [{ userId }] : []),
    ...(typeof anonymousId === 'string' ? [{ anonymousId }] : []),
  ];
}

/** What a stored record of the person contains. Other records may contain it too, in their attributes. */
export function textOfPerson(person: Person): string {
  const [field, id] = idOfPerson(person);
  return `${JSON.stringify(field)}:${JSON.stringify(id)}`;
}

export function isOfPerson(record: StoredRecord, person: Person): boolean {
  const [field, id] = idOfPerson(person);
  return record[field] === id;
}
