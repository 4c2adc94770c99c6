import { VERSION } from '../../contract/version.ts';
import type { Env } from '../durable-objects/env.ts';
import { gateOf } from '../durable-objects/rate-gate.ts';
import type { Held } from '../gate/state.ts';

// The door to `/health` is open to all: however often it is asked, the gate is not asked more often than so.
const KNOWN_FOR_MS = 5_000;

/**
 * Answers whether WebEngage takes what it is sent: 200; or 503 with what to put right. Records are taken and kept either
 * way.
 */
export function health(): (env: Env, now: number) => Promise<Response> {
  let known: { readonly held: Held | null; readonly until: number } | undefined;
  return async (env, now) => {
    if (known === undefined || known.until <= now) {
      // Unknown is not held: whoever watches must not be woken by a restart.
      const held = await gateOf(env)
        .status()
        .then((status) => status.held)
        .catch(() => null);
      known = { held, until: now + KNOWN_FOR_MS };
    }
    const { held } = known;
    if (held === null) return Response.json({ status: 'ok', version: VERSION });
    const message = `WebEngage answers ${held.status} to every call: check the API key, its permissions, WEBENGAGE_LICENSE_CODE and WEBENGAGE_REGION. Records are kept, none is lost.`;
    return Response.json(
      { status: 'held', version: VERSION, since: new Date(held.since).toISOString(), message },
      { status: 503 },
    );
  };
}
