import type { Lane } from '../../contract/lane.ts';
import { MINUTE_MS } from '../../pacing/minute.ts';
import {
  type Admission,
  admit,
  limitWithin,
  type SlidingLimit,
  type SlidingLimitState,
} from '../../pacing/sliding-limit.ts';
import { allowance, type SeenLimit } from './allowance.ts';
import { maxBytes, newsFrom } from './call-size.ts';
import {
  type GateLimits,
  type GateState,
  type KeyName,
  PROBE_EVERY_MS,
  type RefusalStreak,
  refusalStreak,
} from './state.ts';

export type PermitRequest = {
  /** For a search for refused records: a part of a refused batch, or parked records. */
  readonly isolating: boolean;
  /** The most important lane with a batch that is due. Outboxes of older releases send none. */
  readonly lane?: Lane;
  /** What the last answer said about the rate limit, unless the gate already knows. */
  readonly seen: SeenLimit | undefined;
};

export type Permit =
  | {
      readonly granted: true;
      readonly startInMs: number;
      readonly key: KeyName;
      /** Calls in the 60 seconds that end with this one. */
      readonly ours: number;
      /** The gate doubts the account: if this call is accepted, report it to the gate. */
      readonly suspect: boolean;
      /**
       * Many calls were refused. This one should be a single record that was not refused before: if WebEngage
       * accepts it, the account is fine.
       */
      readonly probe: boolean;
      /**
       * Set if calls were too large for WebEngage. `max`: the most bytes. `newsFrom`: from how many bytes on
       * an accepted call must be reported to the gate.
       */
      readonly size: { readonly max: number; readonly newsFrom: number } | undefined;
    }
  | {
      readonly granted: false;
      readonly retryInMs: number;
      /** Refused only because it is for isolating: other calls may be granted. */
      readonly isolatingOnly: boolean;
      /** Refused only because it is for imports: other calls may be granted. A gate of an older release never says so. */
      readonly importsOnly: boolean;
      /** Set if all recent calls were refused: none of their records is known to be at fault. */
      readonly streak: RefusalStreak | undefined;
      /** Set if only the pace is the reason: the time between two calls. */
      readonly pacedMs: number | undefined;
    };

type Refused = Extract<Permit, { granted: false }>;

const NO_REASON = { isolatingOnly: false, importsOnly: false, pacedMs: undefined };

// A start that is promised dies with the outbox that holds it, and its part of the allowance with it. So no
// start is promised further ahead.
const MAX_AHEAD_MS = 250;

// Refused records must not starve the rest. The share of the allowance that isolating may use, and how much
// of that share may start at once.
const ISOLATION_SHARE = 0.1;
const ISOLATION_BURST = 0.16;

// While less than this share was used in the last `LATELY_MS`, isolating takes nothing from anybody.
const IDLE_SHARE = 0.5;
const LATELY_MS = 6_000;

// No limit of ours puts a start further ahead.
const FURTHEST_DUE_MS = 5 * 60_000;

// From this many refusals in a row, before they count as a streak, permits ask for a probe. An accepted probe shows
// that the records are at fault after all.
const DOUBTFUL_REFUSALS = 5;

/** Asks to start one call. A granted permit that is not used is lost. */
export function takePermit(
  before: GateState,
  request: PermitRequest,
  limits: GateLimits,
  now: number,
): { readonly state: GateState; readonly permit: Permit } {
  const updated = request.seen === undefined ? before : { ...before, seen: request.seen };
  const state = afterClockSetBack(updated, now);
  const streak = refusalStreak(state);
  const refuse = (retryInMs: number, reason: Partial<Refused> = {}) => ({
    state,
    permit: { granted: false, retryInMs, ...NO_REASON, ...reason, streak } as const,
  });

  const blockedUntil = Math.max(state.suspension?.probeAt ?? 0, state.pausedUntil);
  if (blockedUntil > now) return refuse(blockedUntil - now);

  const perMinute = allowance(limits.requestsPerMinute, state.seen, now);
  // Starts further ahead come from a clock that has since been set back.
  const starts = state.starts.filter((at) => at > now - MINUTE_MS && at <= now + 2 * MAX_AHEAD_MS);
  // The allowance may have shrunk below what was already used of it.
  const overdrawn = starts[starts.length - Math.floor(perMinute)];
  if (overdrawn !== undefined) return refuse(overdrawn + MINUTE_MS - now);

  const limit = limitWithin(perMinute);
  const importSpacingMs = MINUTE_MS / (perMinute * limits.importFloor);
  const isImport = request.lane === 'import' && !request.isolating && state.suspension === undefined;
  const { importsOnly, admitted } = isImport
    ? admitImport(state, limit, importSpacingMs, now)
    : { importsOnly: false, admitted: admit(state.pace, limit, now, MAX_AHEAD_MS) };
  if (!admitted.granted) return refuse(admitted.retryInMs, { importsOnly, pacedMs: limit.spacingMs });

  // Isolating is not charged for a probe, nor for allowance that is otherwise unused.
  const lately = starts.filter((at) => at > now - LATELY_MS).length;
  const isIdle = lately < perMinute * IDLE_SHARE * (LATELY_MS / MINUTE_MS);
  const mustIsolate = request.isolating && state.suspension === undefined && !isIdle;
  const isolated = admit(state.isolationPace, isolationLimit(perMinute), now, MAX_AHEAD_MS);
  if (mustIsolate && !isolated.granted) return refuse(isolated.retryInMs, { isolatingOnly: true });

  const startInMs = Math.max(admitted.startInMs, mustIsolate && isolated.granted ? isolated.startInMs : 0);
  const { suspension } = state;
  return {
    state: {
      ...state,
      pace: admitted.state,
      starts: [...starts, now + startInMs],
      isolationPace: mustIsolate && isolated.granted ? isolated.state : state.isolationPace,
      importDueAt: isImport ? nextImportDueAt(state, importSpacingMs, now) : state.importDueAt,
      suspension: suspension && { ...suspension, probeAt: now + PROBE_EVERY_MS },
    },
    permit: {
      granted: true,
      startInMs,
      key: state.key,
      ours: starts.length + 1,
      suspect: suspension !== undefined || state.keyChanged || state.refusals > 0,
      probe: suspension !== undefined || state.refusals >= DOUBTFUL_REFUSALS,
      size: sizeOf(state, now),
    },
  };
}

/**
 * Allows a burst after a rest. The first search then ends within seconds, and its result shortens the others.
 */
function isolationLimit(perMinute: number): SlidingLimit {
  const share = Math.max(1, perMinute * ISOLATION_SHARE);
  const burst = Math.max(1, Math.floor(share * ISOLATION_BURST));
  return { spacingMs: MINUTE_MS / Math.max(0.5, share * 0.96 - burst), burst };
}

// How much of a start an import leaves to others, where a burst has more than one. A whole one would cost imports
// a part of the allowance whenever their outbox is late; none at all would cost others half the spacing.
const LEFT_TO_OTHERS = 0.5;

/**
 * An import takes a start that no other call has asked for, so other calls hardly wait for it. Once it is owed its
 * floor, it goes before the waiting calls.
 */
function admitImport(
  { pace, importDueAt }: GateState,
  limit: SlidingLimit,
  importSpacingMs: number,
  now: number,
): { readonly importsOnly: boolean; readonly admitted: Admission } {
  // Further ahead, it comes from a clock that has since been set back.
  const owedInMs = Math.min(importDueAt - now, importSpacingMs);
  if (owedInMs <= 0) {
    const aheadMs = MAX_AHEAD_MS + Math.min(MAX_AHEAD_MS, limit.spacingMs);
    return { importsOnly: false, admitted: admit(pace, limit, now, aheadMs) };
  }
  const admitted = admit(pace, { ...limit, burst: Math.max(1, limit.burst - LEFT_TO_OTHERS) }, now, 0);
  if (admitted.granted) return { importsOnly: true, admitted };
  const retryInMs = Math.ceil(Math.min(admitted.retryInMs, owedInMs));
  return { importsOnly: true, admitted: { granted: false, retryInMs } };
}

/**
 * When the next import is owed. A late import is made up for, and starts that no other call wanted are not charged.
 */
function nextImportDueAt({ importDueAt }: GateState, spacingMs: number, now: number): number {
  return Math.min(now, Math.max(importDueAt, now - spacingMs)) + spacingMs;
}

function sizeOf({ callSize }: GateState, now: number): Extract<Permit, { granted: true }>['size'] {
  const max = maxBytes(callSize, now);
  return callSize && max !== undefined ? { max, newsFrom: newsFrom(callSize, now) } : undefined;
}

/** Grants nothing until then, because WebEngage says that the limit is exceeded. A longer pause stays. */
export function paused(state: GateState, until: number): GateState {
  return { ...state, pausedUntil: Math.max(state.pausedUntil, until) };
}

/**
 * Corrects due times far ahead, which come from a clock that has since been set back. A minute from now is
 * safe, whatever the old time was.
 */
function afterClockSetBack(state: GateState, now: number): GateState {
  const isAhead = ({ nextDueAt }: SlidingLimitState) => nextDueAt > now + FURTHEST_DUE_MS;
  if (!isAhead(state.pace) && !isAhead(state.isolationPace)) return state;
  const rebase = (pace: SlidingLimitState) => (isAhead(pace) ? { nextDueAt: now + MINUTE_MS } : pace);
  return { ...state, pace: rebase(state.pace), isolationPace: rebase(state.isolationPace) };
}
