import type { RecordKind } from '../../contract/record.ts';
import {
  type GateLimits,
  type GateState,
  type KeyName,
  PROBE_EVERY_MS,
  WALL_OF_REFUSALS,
  type Wall,
  wallOf,
} from './state.ts';

/** A call that was not taken: of which kind, and when its batch was refused before, if it was. */
export type Answered = { readonly kind: RecordKind; readonly before: number | undefined };

/** Whose fault it is where WebEngage does not take a call for no reason of its records. */
export type Fault = 'account' | 'kind' | 'batch';

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
