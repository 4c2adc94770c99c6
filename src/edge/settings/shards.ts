/** The most outboxes: each is waked every five minutes, and asked when the operator looks. */
export const MAX_SHARDS = 64;

/**
 * The outbox of a device, as `<shards>/<index>`. By the device and never by the user: a user id changes at login, and an
 * `identify` must not part from the `track` before it. Another number of shards means other outboxes.
 */
export function shardOf(device: string, shards: number): string {
  return `${shards}/${hash(device) % shards}`;
}

/** All outboxes of one number of shards. */
export function shardsOf(epoch: number): string[] {
  return Array.from({ length: epoch }, (_, index) => `${epoch}/${index}`);
}

/** The number of shards that an outbox is one of. */
export function epochOf(name: string): number {
  return Number.parseInt(name, 10);
}

/** FNV-1a, 32 bits. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
