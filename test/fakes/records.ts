import type { EventRecord, UserRecord } from '../../src/contract/record.ts';
import type { StoredEntry } from '../../src/tracker/record/call.ts';

const SESSION = 'k3J9xQ7mPz0aBcDeFgHi1_';

export const idOf = (seq: number, session: string = SESSION): string => `${session}.${seq}`;

/** The documented example of a user, as a record. https://docs.webengage.com/docs/rest-api-bulk-tracking-users */
export const JOHN: Omit<UserRecord, 'kind' | 'id'> = {
  userId: 'johndoe',
  firstName: 'John',
  lastName: 'Doe',
  birthDate: '1986-08-19T15:45:00-0800',
  gender: 'male',
  email: 'john@doe.com',
  phone: '+551155256325',
  company: 'Alphabet Inc.',
  attributes: {
    Age: '31',
    'Twitter username': '@origjohndoe86',
    'Dollars spent': 461.93,
    'Points earned': 78732,
  },
};

/** The documented example of an event, as a record. https://docs.webengage.com/docs/rest-api-bulk-tracking-events */
export const ADDED_TO_CART: Omit<EventRecord, 'kind' | 'id'> = {
  userId: 'johndoe',
  eventName: 'Added to Cart',
  eventTime: '2018-09-15T18:29:00-0800',
  eventData: {
    'Product ID': 1337,
    Price: 39.8,
    Quantity: 1,
    Product: 'Givenchy Pour Homme Cologne',
    Category: 'Fragrance',
    Currency: 'USD',
  },
};

export function eventRecord(seq: number, fields: Partial<EventRecord> = {}): EventRecord {
  return { kind: 'event', id: idOf(seq), ...ADDED_TO_CART, ...fields };
}

/** Events with these numbers, both included. */
export function events(from: number, to: number): EventRecord[] {
  return Array.from({ length: to - from + 1 }, (_, index) => eventRecord(from + index));
}

export function userRecord(seq: number, fields: Partial<UserRecord> = {}): UserRecord {
  return { kind: 'user', id: idOf(seq), ...JOHN, ...fields };
}

/** An event as it lies in the buffer, of an earlier page. */
export function storedEntry(seq: number, fields: Partial<StoredEntry> = {}): StoredEntry {
  const { userId, eventName, eventData } = ADDED_TO_CART;
  return {
    kind: 'event',
    id: idOf(seq),
    key: seq,
    at: 0,
    wall: 0,
    mono: 0,
    json: `"eventName":${JSON.stringify(eventName)},"eventData":${JSON.stringify(eventData)}`,
    userId,
    ...fields,
  };
}
