import { JURISDICTIONS, type Jurisdiction } from './placement.ts';

/**
 * A device's outbox, as `<shards>/<index>`, with a prefix such as `eu/` for a jurisdiction. It is chosen by
 * device, never by user: a user id changes at login, and an `identify` must stay with the `track` before it.
 * Another number of shards or another jurisdiction means other outboxes.
 */
export function shardOf(device: string, shards: number, jurisdiction?: Jurisdiction): string {
  const name = `${shards}/${hash(device) % shards}`;
  return jurisdiction === undefined ? name : `${jurisdiction}/${name}`;
}

/** The names of all outboxes for this number of shards, without a jurisdiction. */
export function shardsOf(shards: number): string[] {
  return Array.from({ length: shards }, (_, index) => `${shards}/${index}`);
}

/** The jurisdiction of an outbox, from its name. */
export function jurisdictionOf(name: string): Jurisdiction | undefined {
  return JURISDICTIONS.find((jurisdiction) => name.startsWith(`${jurisdiction}/`));
}

/** FNV-1a, 32 bits. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
