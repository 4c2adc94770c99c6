import { MINUTE_MS } from '../../pacing/minute.ts';
import { admit, limitWithin, type SlidingLimit, type SlidingLimitState } from '../../pacing/sliding-limit.ts';
import { allowance, type SeenLimit } from './allowance.ts';
import { maxBytes, newsFrom } from './call-size.ts';
import { type GateLimits, type GateState, type KeyName, PROBE_EVERY_MS, type Wall, wallOf } from './state.ts';

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
      /** Calls in the 60 seconds that end with it. */
      readonly ours: number;
      /** Something is not as it should be: if this call is taken, the gate wants to know. */
      readonly suspect: boolean;
      /** So much was refused that one record which was not refused yet is to be tried: it may all be taken. */
      readonly probe: boolean;
      /** Set where calls were too large for WebEngage: the most bytes, and from how many on the gate wants to know that a call was taken. */
      readonly size: { readonly max: number; readonly newsFrom: number } | undefined;
    }
  | {
      readonly granted: false;
      readonly retryInMs: number;
      /** Refused only as one that isolates: others may be granted. */
      readonly isolatingOnly: boolean;
      /** Set where all calls were refused lately: none of their records is known to be at fault. */
      readonly wall: Wall | undefined;
      /** Set where it is refused for the pace alone: between two calls. */
      readonly pacedMs: number | undefined;
    };

type Refused = Extract<Permit, { granted: false }>;

// What is promised further ahead dies with the outbox that holds it, and the allowance with it.
const MAX_AHEAD_MS = 250;

// Poison must not starve the rest.
const ISOLATION_SHARE = 0.1;
const ISOLATION_BURST = 0.16;

// While less than that is used, of the last seconds, nothing that isolates takes it from anybody.
const IDLE_SHARE = 0.5;
const LATELY_MS = 6_000;

// Further off no limit of ours puts a start.
const FURTHEST_DUE_MS = 5 * 60_000;

// Before it is a wall: anything else that is taken shows that it is the records after all.
const DOUBTFUL_REFUSALS = 5;

/** Asks to start one call. A granted permit that is not used is lost. */
export function takePermit(
  before: GateState,
  ask: Ask,
  limits: GateLimits,
  now: number,
): { readonly state: GateState; readonly permit: Permit } {
  const told = ask.seen === undefined ? before : { ...before, seen: ask.seen };
  const state = afterClockSetBack(told, now);
  const refuse = (retryInMs: number, { isolatingOnly = false, pacedMs }: Partial<Refused> = {}) => ({
    state,
    permit: { granted: false, retryInMs, isolatingOnly, wall: wallOf(state), pacedMs } as const,
  });

  const heldUntil = Math.max(state.held?.probeAt ?? 0, state.pausedUntil);
  if (heldUntil > now) return refuse(heldUntil - now);

  const perMinute = allowance(limits.requestsPerMinute, state.seen, now);
  // Starts to come are those of a clock that has since been set back.
  const starts = state.starts.filter((at) => at > now - MINUTE_MS && at <= now + 2 * MAX_AHEAD_MS);
  // Where the allowance has become less than what was used of it already.
  const overdrawn = starts[starts.length - Math.floor(perMinute)];
  if (overdrawn !== undefined) return refuse(overdrawn + MINUTE_MS - now);

  const limit = limitWithin(perMinute);
  const admitted = admit(state.pace, limit, now, MAX_AHEAD_MS);
  if (!admitted.granted) return refuse(admitted.retryInMs, { pacedMs: limit.spacingMs });

  // A probe is nobody's in particular; and what nobody else uses is free.
  const lately = starts.filter((at) => at > now - LATELY_MS).length;
  const isIdle = lately < perMinute * IDLE_SHARE * (LATELY_MS / MINUTE_MS);
  const mustIsolate = ask.isolating && state.held === undefined && !isIdle;
  const isolated = admit(state.isolationPace, isolationLimit(perMinute), now, MAX_AHEAD_MS);
  if (mustIsolate && !isolated.granted) return refuse(isolated.retryInMs, { isolatingOnly: true });

  const startInMs = Math.max(admitted.startInMs, mustIsolate && isolated.granted ? isolated.startInMs : 0);
  const { held } = state;
  return {
    state: {
      ...state,
      pace: admitted.state,
      starts: [...starts, now + startInMs],
      isolationPace: mustIsolate && isolated.granted ? isolated.state : state.isolationPace,
      held: held && { ...held, probeAt: now + PROBE_EVERY_MS },
    },
    permit: {
      granted: true,
      startInMs,
      key: state.key,
      ours: starts.length + 1,
      suspect: held !== undefined || state.keyChanged || state.refusals > 0,
      probe: held !== undefined || state.refusals >= DOUBTFUL_REFUSALS,
      size: sizeOf(state, now),
    },
  };
}

/** Some at once after a rest: the first search ends within seconds, and what it finds shortens all others. */
function isolationLimit(perMinute: number): SlidingLimit {
  const share = Math.max(1, perMinute * ISOLATION_SHARE);
  const burst = Math.max(1, Math.floor(share * ISOLATION_BURST));
  return { spacingMs: MINUTE_MS / Math.max(0.5, share * 0.96 - burst), burst };
}

function sizeOf({ callSize }: GateState, now: number): Extract<Permit, { granted: true }>['size'] {
  const max = maxBytes(callSize, now);
  return callSize && max !== undefined ? { max, newsFrom: newsFrom(callSize, now) } : undefined;
}

/** Grants nothing for a while: WebEngage says that the limit is exceeded. A longer pause stays as it is. */
export function paused(state: GateState, until: number): GateState {
  return { ...state, pausedUntil: Math.max(state.pausedUntil, until) };
}

/** What was due long from now was so by a clock that has since been set back: a minute from now is safe, whatever it was. */
function afterClockSetBack(state: GateState, now: number): GateState {
  const isAhead = ({ nextDueAt }: SlidingLimitState) => nextDueAt > now + FURTHEST_DUE_MS;
  if (!isAhead(state.pace) && !isAhead(state.isolationPace)) return state;
  const rebase = (pace: SlidingLimitState) => (isAhead(pace) ? { nextDueAt: now + MINUTE_MS } : pace);
  return { ...state, pace: rebase(state.pace), isolationPace: rebase(state.isolationPace) };
}
