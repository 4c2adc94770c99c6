import type { Env } from './env.ts';

/** The bindings to Durable Objects, without which the relay can't run. */
export const BINDINGS = ['OUTBOX', 'RATE_GATE'] as const;

export type BindingName = (typeof BINDINGS)[number];

/** The bindings that are missing, or that are bound to something else than a Durable Object. */
export function missingBindings(env: Env): readonly BindingName[] {
  return BINDINGS.filter((name) => typeof env[name]?.getByName !== 'function');
}

/** Says how to mend missing bindings. Returns undefined if none is missing. */
export function bindingFault(env: Env): string | undefined {
  const missing = missingBindings(env);
  if (missing.length === 0) return undefined;
  return `${missing.join(' and ')} must be bound to a Durable Object: add it to durable_objects in wrangler.jsonc, with a compatibility_date no older than the package's, and deploy`;
}
