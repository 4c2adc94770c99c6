import type { Env } from './env.ts';

/** The bindings to Durable Objects, without which the relay can't run. */
export const BINDINGS = ['OUTBOX', 'RATE_GATE'] as const;

export type BindingName = (typeof BINDINGS)[number];

/** The bindings that are missing, or that are bound to something else than a Durable Object. */
export function missingBindings(env: Env): readonly BindingName[] {
  return BINDINGS.filter((name) => typeof env[name]?.getByName !== 'function');
}
