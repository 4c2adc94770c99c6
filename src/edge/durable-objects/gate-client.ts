import type { RelayPassPorts } from '../delivery/relay-pass.ts';
import type { Permit } from '../gate/permits.ts';
import { type GateEnv, gateOf } from './rate-gate.ts';
import { withRetry } from './with-retry.ts';

/**
 * The rate gate for an outbox. A call is retried once if the platform marks its error as retryable.
 *
 * @param name the outbox's own
 */
export function gateClient(env: GateEnv, name: () => string | undefined): RelayPassPorts['gate'] {
  return {
    take: (request) => withRetry<Permit>(async () => gateOf(env).take(request, name())),
    pause: (forMs) => withRetry(() => gateOf(env).pause(forMs)),
    taken: (key, kind) => withRetry(() => gateOf(env).taken(key, kind)),
    misconfigured: (status, answered) => withRetry(() => gateOf(env).misconfigured(status, answered)),
    refused: (status, answered) => withRetry(() => gateOf(env).refused(status, answered)),
    sized: (bytes, wasTaken) => withRetry(() => gateOf(env).sized(bytes, wasTaken)),
  };
}
