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
