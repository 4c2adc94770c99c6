import type { RelayStatus } from '../edge/operator/relay-status.ts';
import type { Client, Outcome } from './client.ts';

/** What the page knows of the relay. */
export type Visit = {
  /** Holds the token; undefined without one. */
  readonly client: Client | undefined;
  /** The last one that was answered. */
  readonly status: RelayStatus | undefined;
  /** What to tell on the sign-in form; with a status, why there is no later one. Empty where all is well. */
  readonly message: string;
};

const REFUSED =
  'The relay answers 404: this token is wrong, or ADMIN_TOKEN is not set at the relay (or shorter than 32 characters). To set it: `npx wrangler secret put ADMIN_TOKEN`.';

export function signedOut(message = ''): Visit {
  return { client: undefined, status: undefined, message };
}

export function signingIn(client: Client): Visit {
  return { client, status: undefined, message: 'Loading …' };
}

/** The visit after a client has heard from the relay, unless the visit is another client's by then. */
export function heard(visit: Visit, client: Client, outcome: Outcome<RelayStatus>): Visit {
  if (visit.client !== client) return visit;
  switch (outcome.kind) {
    case 'ok':
      return { client, status: outcome.body, message: '' };
    case 'unauthorized':
      return signedOut(REFUSED);
    case 'failed':
      return {
        ...visit,
        message: visit.status === undefined ? `${outcome.reason} Retrying by itself.` : outcome.reason,
      };
  }
}
