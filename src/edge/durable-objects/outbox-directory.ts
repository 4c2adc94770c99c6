import type { RelaySettings } from '../settings/settings.ts';
import { shardsOf } from '../settings/shards.ts';
import type { Env } from './env.ts';
import type { Outbox } from './outbox.ts';
import { gateOf } from './rate-gate.ts';

export function outboxNamed({ OUTBOX }: Env, name: string): DurableObjectStub<Outbox> {
  return OUTBOX.getByName(name);
}

/** Every outbox that may hold something: those of today's number of shards, and those of earlier ones until empty. */
export async function allOutboxes(env: Env, settings: RelaySettings): Promise<string[]> {
  const epochs = new Set([settings.shards, ...(await gateOf(env).epochs()).map(({ shards }) => shards)]);
  return [...epochs].flatMap(shardsOf);
}

/**
 * The watchdog: an alarm that the platform has given up is set again, in every outbox. Those of an earlier number of
 * shards are looked after until nothing is left in any of them.
 */
export async function wakeAll(env: Env, settings: RelaySettings): Promise<void> {
  const gate = gateOf(env);
  const [wall, enrolled] = await Promise.all([gate.lastWall(), gate.epochs()]);
  for (const shards of new Set([settings.shards, ...enrolled.map((epoch) => epoch.shards)])) {
    // One that can't be waked now is waked in five minutes; it must not keep the others asleep.
    const empty = await Promise.all(
      shardsOf(shards).map((name) =>
        outboxNamed(env, name)
          .wake(wall)
          .catch(() => false),
      ),
    );
    const epoch = enrolled.find((each) => each.shards === shards);
    if (epoch !== undefined && empty.every(Boolean)) await gate.retire(shards, epoch.turn);
  }
}
