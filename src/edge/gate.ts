import { admit, limitWithin, type SlidingLimitState } from '../pacing/sliding-limit.ts';
import { allowance, type SeenLimit } from './allowance.ts';
import type { RecordKind } from './run.ts';

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
  /** When the calls of the last 60 seconds started, in order. */
  readonly starts: readonly number[];
  readonly pausedUntil: number;
  /** What WebEngage last said of its limit. */
  readonly seen: SeenLimit | undefined;
  readonly key: KeyName;
  /** True once the other key was refused, until a call is taken. */
  readonly keyChanged: boolean;
  readonly held: Held | undefined;
  /** Calls refused for their records, in a row, with none taken between; and since when. */
  readonly refusals: number;
  readonly refusedSince: number;
  /** When a call of each kind was taken last, of those that were suspect. */
  readonly takenAt: Readonly<Record<RecordKind, number>>;
  /** Since when calls of a kind are answered as to a wrong configuration, and none of that kind was taken. */
  readonly misconfiguredAt: { readonly [Kind in RecordKind]?: number | undefined };
  /** The wall of refusals that stood last. */
  readonly lastWall: Wall | undefined;
};

/** When every call was refused, and none taken: `until` one was; as long as none is, undefined. */
export type Wall = { readonly since: number; readonly until: number | undefined };

export const OPEN_GATE: GateState = {
  pace: { nextDueAt: 0 },
  isolationPace: { nextDueAt: 0 },
  starts: [],
  pausedUntil: 0,
  seen: undefined,
  key: 'primary',
  keyChanged: false,
  held: undefined,
  refusals: 0,
  refusedSince: 0,
  takenAt: { user: 0, event: 0 },
  misconfiguredAt: {},
  lastWall: undefined,
};

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
      /** So much was refused that what was not refused yet is to be tried: it may all be taken. */
      readonly probe: boolean;
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

/** A call that was not taken: of which kind, and when its batch was refused before, if it was. */
export type Answered = { readonly kind: RecordKind; readonly before: number | undefined };

/** Whose fault it is where WebEngage does not take a call for no reason of its records. */
export type Fault = 'account' | 'kind' | 'batch';

/** What the operator allows. */
export type GateLimits = { readonly requestsPerMinute: number; readonly hasSecondaryKey: boolean };

// What is promised further ahead dies with the outbox that holds it, and the allowance with it.
const MAX_AHEAD_MS = 250;

// Poison must not starve the rest.
const ISOLATION_SHARE = 0.1;

// Further off no limit of ours puts a start.
const FURTHEST_DUE_MS = 5 * 60_000;

const PROBE_EVERY_MS = 60_000;

// So many calls in a row refused for their records, and none taken between, is not records any more: WebEngage answers
// 400 to a wrong license code too.
export const WALL_OF_REFUSALS = 20;

// Before it is a wall: anything else that is taken shows that it is the records after all.
const DOUBTFUL_REFUSALS = 5;

const MINUTE_MS = 60_000;

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

  // A probe is nobody's in particular.
  const mustIsolate = ask.isolating && state.held === undefined;
  const isolated = admit(
    state.isolationPace,
    limitWithin(Math.max(1, perMinute * ISOLATION_SHARE)),
    now,
    MAX_AHEAD_MS,
  );
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
    },
  };
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

/** WebEngage took a call, made with this key: whatever was suspected is over. */
export function taken(state: GateState, key: KeyName, kind: RecordKind, now: number): GateState {
  const wall = wallOf(state);
  return {
    ...state,
    key,
    keyChanged: false,
    held: undefined,
    refusals: 0,
    refusedSince: 0,
    takenAt: { ...state.takenAt, [kind]: now },
    misconfiguredAt: { ...state.misconfiguredAt, [kind]: undefined },
    lastWall: wall === undefined ? state.lastWall : { ...wall, until: now },
  };
}

/**
 * The key, the license or the address is wrong. The other key is tried once; then everything is held, and each probe
 * tries the one that the probe before it did not.
 *
 * Where others of its kind have been taken since it was refused before, it is the batch; where others of the other kind,
 * it is the kind, as for a key without the permission: nothing is held for either.
 */
export function misconfigured(
  state: GateState,
  status: number,
  { key, kind, before }: Answered & { readonly key: KeyName },
  { hasSecondaryKey }: GateLimits,
  now: number,
): { readonly state: GateState; readonly fault: Fault } {
  if (before !== undefined && before < state.takenAt[kind]) return { state, fault: 'batch' };
  const since = state.misconfiguredAt[kind] ?? now;
  if (since < state.takenAt[otherKind(kind)]) return { state, fault: 'kind' };
  const misconfiguredAt = { ...state.misconfiguredAt, [kind]: since };
  const keep = (next: GateState) => ({ state: { ...next, misconfiguredAt }, fault: 'account' as const });
  // Of a call that started before the key was changed: known already.
  if (key !== state.key) return keep(state);
  const other: KeyName = hasSecondaryKey && key === 'primary' ? 'secondary' : 'primary';
  if (state.held !== undefined) return keep({ ...state, key: other, held: { ...state.held, status } });
  if (hasSecondaryKey && !state.keyChanged) return keep({ ...state, key: other, keyChanged: true });
  return keep({ ...state, key: other, held: { since: now, status, probeAt: now + PROBE_EVERY_MS } });
}

/** What is to be thought of a call that was refused for its records. */
export type Refusal = {
  /** It was refused before, and others have been taken since: it is the records. */
  readonly proven: boolean;
  /** Set where it is the configuration's fault, and not the records'. */
  readonly wall: Wall | undefined;
};

/** A call was refused for its records. Enough of them in a row are a wrong configuration. */
export function refused(
  state: GateState,
  status: number,
  { kind, before }: Answered,
  now: number,
): { readonly state: GateState; readonly refusal: Refusal } {
  // Or else the bad records of one page, tried again after each good one, would be a wall each time.
  if (before !== undefined && before < state.takenAt[kind])
    return { state, refusal: { proven: true, wall: undefined } };
  const refusals = state.refusals + 1;
  const refusedSince = state.refusals === 0 ? now : state.refusedSince;
  const held =
    refusals < WALL_OF_REFUSALS
      ? state.held
      : { since: now, probeAt: now + PROBE_EVERY_MS, ...state.held, status };
  const next = { ...state, refusals, refusedSince, held };
  return { state: next, refusal: { proven: false, wall: wallOf(next) } };
}

function otherKind(kind: RecordKind): RecordKind {
  return kind === 'user' ? 'event' : 'user';
}

function wallOf({ refusals, refusedSince }: GateState): Wall | undefined {
  return refusals >= WALL_OF_REFUSALS ? { since: refusedSince, until: undefined } : undefined;
}
