import { DurableObject } from 'cloudflare:workers';
import { admit, limitWithin, type SlidingLimitState } from '../pacing/sliding-limit.ts';
import { readSettings, type SettingsEnv } from './settings.ts';

export type Permit =
  | { readonly granted: true; readonly startInMs: number }
  | { readonly granted: false; readonly retryInMs: number };

// What is promised further ahead dies with the outbox that holds it, and the allowance with it.
const MAX_AHEAD_MS = 250;

/** The account's one rate limit: in any 60 seconds no more calls start than it allows, whoever asks. */
export class RateGate extends DurableObject<SettingsEnv> {
  /** Asks to start one call to WebEngage. A granted permit that is not used is lost. */
  take(): Permit {
    const read = readSettings(this.env);
    if (!read.ok) return { granted: false, retryInMs: 60_000 };
    return takePermit(this.ctx.storage, read.settings.requestsPerMinute, Date.now());
  }

  /** Grants nothing for a while: WebEngage says the limit is exceeded. A longer pause stays as it is. */
  pause(forMs: number): void {
    const { kv } = this.ctx.storage;
    kv.put('pausedUntil', Math.max(kv.get<number>('pausedUntil') ?? 0, Date.now() + forMs));
  }
}

/** The state is in storage before the permit leaves: a gate that dies can't lend the same start twice. */
export function takePermit(storage: DurableObjectStorage, requestsPerMinute: number, now: number): Permit {
  const pausedForMs = (storage.kv.get<number>('pausedUntil') ?? 0) - now;
  if (pausedForMs > 0) return { granted: false, retryInMs: pausedForMs };

  const state = storage.kv.get<SlidingLimitState>('state') ?? { nextDueAt: 0 };
  const admission = admit(state, limitWithin(requestsPerMinute), now, MAX_AHEAD_MS);
  if (!admission.granted) return admission;
  storage.kv.put('state', admission.state);
  return { granted: true, startInMs: admission.startInMs };
}
