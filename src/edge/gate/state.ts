import type { RecordKind } from '../../contract/record.ts';
import type { SlidingLimitState } from '../../pacing/sliding-limit.ts';
import type { SeenLimit } from './allowance.ts';
import type { CallSize } from './call-size.ts';

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
  /** How large a call may be; undefined where none was ever too large. */
  readonly callSize: CallSize | undefined;
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
  callSize: undefined,
};

/** What the operator allows. */
export type GateLimits = { readonly requestsPerMinute: number; readonly hasSecondaryKey: boolean };

export const PROBE_EVERY_MS = 60_000;

// So many calls in a row refused for their records, and none taken between, is not records any more: WebEngage answers
// 400 to a wrong license code too.
export const WALL_OF_REFUSALS = 20;

/** Set where all calls were refused lately, and none taken. */
export function wallOf({ refusals, refusedSince }: GateState): Wall | undefined {
  return refusals >= WALL_OF_REFUSALS ? { since: refusedSince, until: undefined } : undefined;
}
