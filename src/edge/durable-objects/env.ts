import type { AuthorizeUsers } from '../auth/identity.ts';
import type { PlanMode, RelaySettings } from '../settings/settings.ts';
import type { Outbox, OutboxEnv } from './outbox.ts';

/** What wrangler.jsonc binds, and what the operator sets. */
export type Env = OutboxEnv & {
  readonly OUTBOX: DurableObjectNamespace<Outbox>;
  /** Where bound: how many requests one address may send, which then holds for all isolates of a Cloudflare location. */
  readonly ADDRESS_LIMIT?: RateLimit;
};

/** The relay's routes: what they are given. Without a tracking plan there is no mode of it. */
export type Relay = {
  Bindings: Env;
  Variables: { settings: RelaySettings; authorizeUsers: AuthorizeUsers; planMode: PlanMode | undefined };
};
