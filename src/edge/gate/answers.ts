import type { RecordKind } from '../../contract/record.ts';
import {
  type GateLimits,
  type GateState,
  type KeyName,
  MIN_STREAK,
  PROBE_EVERY_MS,
  type RefusalStreak,
  refusalStreak,
} from './state.ts';

/** A call that was not accepted: its kind, and when its batch was last refused before, if ever. */
export type Answered = { readonly kind: RecordKind; readonly before: number | undefined };

/** What is at fault if WebEngage refuses a call, but not for its records. */
export type Fault = 'account' | 'kind' | 'batch';

/** WebEngage accepted a call made with this key. Ends a suspension and every suspicion. */
export function taken(state: GateState, key: KeyName, kind: RecordKind, now: number): GateState {
  const streak = refusalStreak(state);
  return {
    ...state,
    key,
    keyChanged: false,
    suspension: undefined,
    refusals: 0,
    refusedSince: 0,
    takenAt: { ...state.takenAt, [kind]: now },
    misconfiguredAt: { ...state.misconfiguredAt, [kind]: undefined },
    lastStreak: streak === undefined ? state.lastStreak : { ...streak, until: now },
  };
}

/**
 * Handles an answer that means a wrong key, license code or address. The other key is tried once. After that
 * all deliveries are suspended, and probes use the keys in turn.
 *
 * If others of its kind were accepted since the batch was last refused, the batch is at fault. If the other
 * kind was accepted since this kind failed, the kind is at fault, as with a key without that permission.
 * Neither suspends anything.
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
  // The call started before the key was changed, so its answer says nothing new.
  if (key !== state.key) return keep(state);
  const other: KeyName = hasSecondaryKey && key === 'primary' ? 'secondary' : 'primary';
  if (state.suspension !== undefined)
    return keep({ ...state, key: other, suspension: { ...state.suspension, status } });
  if (hasSecondaryKey && !state.keyChanged) return keep({ ...state, key: other, keyChanged: true });
  return keep({ ...state, key: other, suspension: { since: now, status, probeAt: now + PROBE_EVERY_MS } });
}

/** The gate's judgement of a call that was refused for its records. */
export type Refusal = {
  /** The batch was refused before, and others were accepted since: its records are at fault. */
  readonly proven: boolean;
  /** Set if the configuration is at fault, and not the records. */
  readonly streak: RefusalStreak | undefined;
};

/** Counts a call that was refused for its records. Enough of them in a row mean a wrong configuration. */
export function refused(
  state: GateState,
  status: number,
  { kind, before }: Answered,
  now: number,
): { readonly state: GateState; readonly refusal: Refusal } {
  // Otherwise one page's bad records, retried after each good one, would become a streak each time.
  if (before !== undefined && before < state.takenAt[kind])
    return { state, refusal: { proven: true, streak: undefined } };
  const refusals = state.refusals + 1;
  const refusedSince = state.refusals === 0 ? now : state.refusedSince;
  const suspension =
    refusals < MIN_STREAK
      ? state.suspension
      : { since: now, probeAt: now + PROBE_EVERY_MS, ...state.suspension, status };
  const next = { ...state, refusals, refusedSince, suspension };
  return { state: next, refusal: { proven: false, streak: refusalStreak(next) } };
}

function otherKind(kind: RecordKind): RecordKind {
  return kind === 'user' ? 'event' : 'user';
}
