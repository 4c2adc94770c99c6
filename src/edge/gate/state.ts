import type { RecordKind } from '../../contract/record.ts';
import type { SlidingLimitState } from '../../pacing/sliding-limit.ts';
import type { SeenLimit } from './allowance.ts';
import type { CallSize } from './call-size.ts';

/** One of the service account's two keys. Both are valid at once, so they can be rotated without downtime. */
export type KeyName = 'primary' | 'secondary';

/** Deliveries are suspended: the configuration is at fault. Everything is kept, and one call a minute tries again. */
export type Suspension = {
  readonly since: number;
  /** The status that WebEngage answers with. */
  readonly status: number;
  readonly probeAt: number;
};

/** What is known of the account: how fast it may be called, and whether it accepts calls at all. */
export type GateState = {
  readonly pace: SlidingLimitState;
  /** Calls that search for a refused record have an allowance of their own, within the account's. */
  readonly isolationPace: SlidingLimitState;
  /** When the next import is due, even if others wait. */
  readonly importDueAt: number;
  /** When the calls of the last 60 seconds started, in order. */
  readonly starts: readonly number[];
  readonly pausedUntil: number;
  /** The last rate limit that WebEngage reported. */
  readonly seen: SeenLimit | undefined;
  readonly key: KeyName;
  /** True from a change of keys until a call is accepted. */
  readonly keyChanged: boolean;
  readonly suspension: Suspension | undefined;
  /** Calls in a row that were refused for their records, and since when. */
  readonly refusals: number;
  readonly refusedSince: number;
  /** When a call of each kind was last accepted, of those reported to the gate. */
  readonly takenAt: Readonly<Record<RecordKind, number>>;
  /** Since when the calls of a kind get the answers of a wrong configuration, with none accepted. */
  readonly misconfiguredAt: { readonly [Kind in RecordKind]?: number | undefined };
  /** The last refusal streak that has ended. */
  readonly lastStreak: RefusalStreak | undefined;
  /** How large a call may be. Undefined if none was ever too large. */
  readonly callSize: CallSize | undefined;
};

/**
 * A refusal streak: a time in which every call was refused. It ends at `until`, when WebEngage accepts one;
 * undefined while it lasts.
 */
export type RefusalStreak = { readonly since: number; readonly until: number | undefined };

export const OPEN_GATE: GateState = {
  pace: { nextDueAt: 0 },
  isolationPace: { nextDueAt: 0 },
  importDueAt: 0,
  starts: [],
  pausedUntil: 0,
  seen: undefined,
  key: 'primary',
  keyChanged: false,
  suspension: undefined,
  refusals: 0,
  refusedSince: 0,
  takenAt: { user: 0, event: 0 },
  misconfiguredAt: {},
  lastStreak: undefined,
  callSize: undefined,
};

/** The operator's settings. */
export type GateLimits = {
  readonly requestsPerMinute: number;
  readonly hasSecondaryKey: boolean;
  /** The share of the calls that imports get while others wait, from 0 to 1. */
  readonly importFloor: number;
};

export const PROBE_EVERY_MS = 60_000;

// After this many calls in a row that were refused for their records, the records are not the reason.
// WebEngage also answers 400 to a wrong license code.
export const MIN_STREAK = 20;

/** The current refusal streak, if any. */
export function refusalStreak({ refusals, refusedSince }: GateState): RefusalStreak | undefined {
  return refusals >= MIN_STREAK ? { since: refusedSince, until: undefined } : undefined;
}
