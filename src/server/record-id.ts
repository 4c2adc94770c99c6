import type { CheckedCall } from './call.ts';

// The relay keeps order, and has one call to WebEngage in flight, for each device. So a client has a fixed number of
// slots, each of which is a device. All records of one person go through one slot, in every process.

/** The number of slots. Another number would send a `messageId` to another device, where it is new. */
export const SLOTS = 16;

/** The slot of a person: the same in every process and release. FNV-1a. http://www.isthe.com/chongo/tech/comp/fnv/ */
export function slotOf(person: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < person.length; index++)
    value = Math.imul(value ^ person.charCodeAt(index), 0x01000193);
  return (value >>> 0) % SLOTS;
}

/** SHA-256 of a text. */
export type Digest = (text: string) => Promise<Uint8Array>;

/** As JSON, so that no two lists are the same text. */
function labelled(...texts: readonly (string | number)[]): string {
  return JSON.stringify(['webengage-relay/server', ...texts]);
}

/** The device of a slot: a UUID, version 8 (RFC 9562, 5.8). It is the same in every process with this `source`. */
export async function deviceOf(source: string, slot: number, digest: Digest): Promise<string> {
  const bytes = await digest(labelled('device', source, slot));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) % 4];
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join('-');
}

/** 132 bits as 22 characters of base64url. */
export function toSession(bytes: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...bytes.slice(0, 18)));
  return base64.replaceAll('+', '-').replaceAll('/', '_').slice(0, 22);
}

/** A random session, for the records of one client that have no `messageId`. */
export function randomSession(bytes: (count: number) => Uint8Array): string {
  return toSession(bytes(18));
}

/** The id of a record with a `messageId`. It is the same in every process. */
export async function messageRecordId(
  { kind, person, messageId = '' }: Pick<CheckedCall, 'kind' | 'person' | 'messageId'>,
  digest: Digest,
): Promise<string> {
  return `${toSession(await digest(labelled('message', kind, person, messageId)))}.1`;
}
