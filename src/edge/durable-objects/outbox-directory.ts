import { locationHintOf } from '../settings/placement.ts';
import type { RelaySettings } from '../settings/settings.ts';
import { jurisdictionOf, shardsOf } from '../settings/shards.ts';
import type { Env } from './env.ts';
import type { Outbox } from './outbox.ts';
import { gateOf } from './rate-gate.ts';

export function outboxNamed(env: Env, name: string): DurableObjectStub<Outbox> {
  const jurisdiction = jurisdictionOf(name);
  const all = jurisdiction === undefined ? env.OUTBOX : env.OUTBOX.jurisdiction(jurisdiction);
  const locationHint = locationHintOf(env);
  return all.getByName(name, locationHint && { locationHint });
}

/** Every outbox that may hold something: none of those that were never sent to, which asking would make. */
export async function outboxesInUse(env: Env): Promise<string[]> {
  return (await gateOf(env).outboxes()).map(({ name }) => name);
}

/** Those that new records go to, whether they hold something or not. */
export function outboxesOf({ shards, jurisdiction }: RelaySettings): string[] {
  return shardsOf(shards).map((name) => (jurisdiction === undefined ? name : `${jurisdiction}/${name}`));
}

/**
 * The watchdog: an alarm that the platform has given up is set again, in every outbox. Those of an earlier number of
 * shards, or of another jurisdiction, are looked after until nothing is left in them.
 */
export async function wakeAll(env: Env): Promise<void> {
  const gate = gateOf(env);
  const [wall, inUse] = await Promise.all([gate.lastWall(), gate.outboxes()]);
  const empty = await Promise.all(
    inUse.map(async ({ name }) => {
      try {
        return await outboxNamed(env, name).wake(wall);
      } catch {
        // One that can't be waked now is waked in five minutes; it must not keep the others asleep.
        return false;
      }
    }),
  );
  await gate.retire(inUse.filter((_, index) => empty[index]));
}
