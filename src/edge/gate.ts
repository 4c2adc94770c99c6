import { admit, limitWithin, type SlidingLimitState } from '../pacing/sliding-limit.ts';

/** Which of the service account's two keys: both are valid at once, so that they rotate without downtime. */
export type KeyName = 'primary' | 'secondary';

/** Configuration is at fault: everything is kept, and one call a minute tries again. */
export type Held = {
  readonly since: number;
  /** What WebEngage answers. */
  readonly status: number;
  readonly probeAt: number;
};

/** What is known of the account: how fast it may be called, and whether it takes calls at all. */
export type GateState = {
  readonly pace: SlidingLimitState;
  /** Calls to find a refused record among others have an allowance of their own, within the account's. */
  readonly isolationPace: SlidingLimitState;
  readonly pausedUntil: number;
  /** `X-RateLimit-Limit` as last seen. */
  readonly limitSeen: number | undefined;
  readonly key: KeyName;
  /** True once the other key was refused, until a call is taken. */
  readonly keyChanged: boolean;
  readonly held: Held | undefined;
  /** Calls refused for their records, in a row, with none taken between; and since when. */
  readonly refusals: number;
  readonly refusedSince: number;
};

export const OPEN_GATE: GateState = {
  pace: { nextDueAt: 0 },
  isolationPace: { nextDueAt: 0 },
  pausedUntil: 0,
  limitSeen: undefined,
  key: 'primary',
  keyChanged: false,
  held: undefined,
  refusals: 0,
  refusedSince: 0,
};

/** What WebEngage's `X-RateLimit-*` headers said, and when. */
export type SeenLimit = { readonly limit: number; readonly remaining: number; readonly at: number };

export type Ask = {
  /** For a part of a batch that was refused. */
  readonly isolating: boolean;
  /** From the last answer that had it. */
  readonly seen: SeenLimit | undefined;
};

export type Permit =
  | {
      readonly granted: true;
      readonly startInMs: number;
      readonly key: KeyName;
      /** Something is not as it should be: if this call is taken, the gate wants to know. */
      readonly suspect: boolean;
      /** The one call of a minute that tries whether the configuration is right by now. */
      readonly probe: boolean;
    }
  | {
      readonly granted: false;
      readonly retryInMs: number;
      /** Refused only as one that isolates: others may be granted. */
      readonly isolatingOnly: boolean;
      /** Set where all calls since then were refused: none of their records is known to be at fault. */
      readonly wallSince: number | undefined;
    };

/** What the operator allows. */
export type GateLimits = { readonly requestsPerMinute: number; readonly hasSecondaryKey: boolean };

// What is promised further ahead dies with the outbox that holds it, and the allowance with it.
const MAX_AHEAD_MS = 250;

// Poison must not starve the rest.
const ISOLATION_SHARE = 0.1;

const PROBE_EVERY_MS = 60_000;

// So many calls in a row refused for their records, and none taken between, is not records any more: WebEngage answers
// 400 to a wrong license code too.
export const WALL_OF_REFUSALS = 20;

// Below this share of the limit somebody else is calling too. Two of a hundred are more than may be in flight.
const RESERVE_SHARE = 0.02;

const MINUTE_MS = 60_000;

// An observation older than the window says nothing any more.
const SEEN_VALID_MS = MINUTE_MS;

/** Asks to start one call. A granted permit that is not used is lost. */
export function takePermit(
  before: GateState,
  ask: Ask,
  limits: GateLimits,
  now: number,
): { readonly state: GateState; readonly permit: Permit } {
  const state = observe(before, ask.seen, now);
  const refuse = (retryInMs: number, isolatingOnly = false) => ({
    state,
    permit: { granted: false, retryInMs, isolatingOnly, wallSince: wallSince(state) } as const,
  });

  const heldUntil = Math.max(state.held?.probeAt ?? 0, state.pausedUntil);
  if (heldUntil > now) return refuse(heldUntil - now);

  const perMinute = allowance(state, limits);
  const admitted = admit(state.pace, limitWithin(perMinute), now, MAX_AHEAD_MS);
  if (!admitted.granted) return refuse(admitted.retryInMs);

  // A probe is nobody's in particular.
  const mustIsolate = ask.isolating && state.held === undefined;
  const isolated = admit(
    state.isolationPace,
    limitWithin(Math.max(1, perMinute * ISOLATION_SHARE)),
    now,
    MAX_AHEAD_MS,
  );
  if (mustIsolate && !isolated.granted) return refuse(isolated.retryInMs, true);

  const startInMs = Math.max(admitted.startInMs, mustIsolate && isolated.granted ? isolated.startInMs : 0);
  const { held } = state;
  return {
    state: {
      ...state,
      pace: admitted.state,
      isolationPace: mustIsolate && isolated.granted ? isolated.state : state.isolationPace,
      held: held && { ...held, probeAt: now + PROBE_EVERY_MS },
    },
    permit: {
      granted: true,
      startInMs,
      key: state.key,
      suspect: held !== undefined || state.keyChanged || state.refusals > 0,
      probe: held !== undefined,
    },
  };
}

/** Grants nothing for a while: WebEngage says that the limit is exceeded. A longer pause stays as it is. */
export function paused(state: GateState, until: number): GateState {
  return { ...state, pausedUntil: Math.max(state.pausedUntil, until) };
}

/** WebEngage took a call, made with this key: whatever was suspected is over. */
export function taken(state: GateState, key: KeyName): GateState {
  return { ...state, key, keyChanged: false, held: undefined, refusals: 0, refusedSince: 0 };
}

/**
 * The key, the license or the address is wrong. The other key is tried once; then everything is held, and each probe
 * tries the one that the probe before it did not.
 */
export function misconfigured(
  state: GateState,
  status: number,
  key: KeyName,
  { hasSecondaryKey }: GateLimits,
  now: number,
): GateState {
  // Of a call that started before the key was changed: known already.
  if (key !== state.key) return state;
  const other: KeyName = hasSecondaryKey && key === 'primary' ? 'secondary' : 'primary';
  if (state.held !== undefined) return { ...state, key: other, held: { ...state.held, status } };
  if (hasSecondaryKey && !state.keyChanged) return { ...state, key: other, keyChanged: true };
  return { ...state, key: other, held: { since: now, status, probeAt: now + PROBE_EVERY_MS } };
}

/** A call was refused for its records. Enough of them in a row are a wrong configuration. */
export function refused(state: GateState, status: number, now: number): GateState {
  const refusals = state.refusals + 1;
  const refusedSince = state.refusals === 0 ? now : state.refusedSince;
  const held =
    refusals < WALL_OF_REFUSALS
      ? state.held
      : { since: now, probeAt: now + PROBE_EVERY_MS, ...state.held, status };
  return { ...state, refusals, refusedSince, held };
}

/** Since when every call was refused, where that is configuration's fault and not the records'. */
export function wallSince({ refusals, refusedSince }: GateState): number | undefined {
  return refusals >= WALL_OF_REFUSALS ? refusedSince : undefined;
}

/** Calls a minute: what the operator allows, or less where WebEngage says so. */
export function allowance({ limitSeen }: GateState, { requestsPerMinute }: GateLimits): number {
  return Math.min(requestsPerMinute, limitSeen ?? requestsPerMinute);
}

/** Takes in what WebEngage said of its limit. It only ever makes slower: what the operator allows stays the most. */
function observe(state: GateState, seen: SeenLimit | undefined, now: number): GateState {
  if (seen === undefined || seen.at < now - SEEN_VALID_MS || seen.at > now + SEEN_VALID_MS) return state;
  const { limit, remaining, at } = seen;
  // Under two a minute no limit of ours can work; a header that says so is taken for a mistake.
  const known = limit >= 2 ? { ...state, limitSeen: limit } : state;
  const reserve = Math.ceil(limit * RESERVE_SHARE);
  if (remaining >= reserve) return known;
  // With nothing left the next call would be a 429; what then helps is the next minute. With a little left, as long as
  // it takes a sliding minute to give back what is missing.
  const pauseMs =
    remaining <= 0 ? MINUTE_MS - (at % MINUTE_MS) : ((reserve - remaining) * MINUTE_MS) / Math.max(2, limit);
  return paused(known, at + Math.ceil(pauseMs));
}
