import { locationHintOf } from '../settings/placement.ts';
import type { RelaySettings } from '../settings/settings.ts';
import { jurisdictionOf, shardsOf } from '../settings/shards.ts';
import type { Env } from './env.ts';
import { inTime } from './in-time.ts';
import { type Outbox, PROBE } from './outbox.ts';
import { gateOf } from './rate-gate.ts';
import { withRetry } from './with-retry.ts';

export function outboxNamed(env: Env, name: string): DurableObjectStub<Outbox> {
  const jurisdiction = jurisdictionOf(name);
  const all = jurisdiction === undefined ? env.OUTBOX : env.OUTBOX.jurisdiction(jurisdiction);
  const locationHint = locationHintOf(env);
  return all.getByName(name, locationHint && { locationHint });
}

/** Throws if no outbox can be created. Calls one that stores nothing. */
export async function probeOutbox(env: Env, { jurisdiction }: RelaySettings): Promise<void> {
  const probe = jurisdiction === undefined ? PROBE : `${jurisdiction}/${PROBE}`;
  await inTime(() => withRetry(async () => outboxNamed(env, probe).probe()));
}

/**
 * True if OUTBOX is bound to another class than `Outbox`, so that no outbox answers. It calls an object: ask only if
 * none has answered.
 */
export async function leadsElsewhere(env: Env, settings: RelaySettings): Promise<boolean> {
  try {
    await probeOutbox(env, settings);
    return false;
  } catch (error) {
    // An object of another class has no such method. All other errors come from the platform.
    return error instanceof TypeError;
  }
}

/** The names of all outboxes that may hold something. Others are not listed: asking one would create it. */
export async function outboxesInUse(env: Env): Promise<string[]> {
  return (await gateOf(env).outboxes()).map(({ name }) => name);
}

/** The outboxes that get new records, whether they hold something or not. */
export function outboxesOf({ shards, jurisdiction }: RelaySettings): string[] {
  return shardsOf(shards).map((name) => (jurisdiction === undefined ? name : `${jurisdiction}/${name}`));
}

/** The outboxes that may hold something, and those that get new records. Asking one of the latter may create it. */
export async function everyOutbox(env: Env, settings: RelaySettings): Promise<readonly string[]> {
  return [...new Set([...(await outboxesInUse(env)), ...outboxesOf(settings)])];
}
