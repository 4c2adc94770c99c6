import type { Vouch } from './identity.ts';
import type { Outbox, OutboxEnv } from './outbox.ts';
import type { RelaySettings } from './settings.ts';

/** What wrangler.jsonc binds, and what the operator sets. */
export type Env = OutboxEnv & { readonly OUTBOX: DurableObjectNamespace<Outbox> };

/** The relay's routes: what they are given. */
export type Relay = { Bindings: Env; Variables: { settings: RelaySettings; vouch: Vouch } };
