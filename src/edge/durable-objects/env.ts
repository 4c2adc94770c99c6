import type { AuthorizeUsers } from '../auth/identity.ts';
import type { PlanMode, RelaySettings } from '../settings/settings.ts';
import type { Outbox, OutboxEnv } from './outbox.ts';

/** The bindings from wrangler.jsonc, and the operator's settings. */
export type Env = OutboxEnv & {
  readonly OUTBOX: DurableObjectNamespace<Outbox>;
  /** Optional: limits the requests of one network. All isolates of a Cloudflare location share it. */
  readonly ADDRESS_LIMIT?: RateLimit;
};

/** The types of the relay's routes. `planMode` is undefined without a tracking plan. */
export type Relay = {
  Bindings: Env;
  Variables: { settings: RelaySettings; authorizeUsers: AuthorizeUsers; planMode: PlanMode | undefined };
};
