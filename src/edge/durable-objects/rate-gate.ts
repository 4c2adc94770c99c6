import { DurableObject } from 'cloudflare:workers';
import type { RecordKind } from '../../contract/record.ts';
import { MINUTE_MS } from '../../pacing/minute.ts';
import type { AlertLimits, WatchedOutbox } from '../alerts/conditions.ts';
import type { Attempt } from '../alerts/queue.ts';
import {
  type AlertReport,
  type AlertState,
  alertReport,
  type Due,
  delivered,
  isQuiet,
  NO_ALERTS,
  runOf,
} from '../alerts/run.ts';
import { allowance } from '../gate/allowance.ts';
import { type Answered, type Fault, misconfigured, type Refusal, refused, taken } from '../gate/answers.ts';
import { fitted, maxBytes, tooLarge } from '../gate/call-size.ts';
import { type Permit, type PermitRequest, paused, takePermit } from '../gate/permits.ts';
import { isWithinReserve, withReserve } from '../gate/reserve.ts';
import { type CountTally, countTally, lastCounts, type NamedCounts } from '../gate/shared-counts.ts';
import {
  type GateLimits,
  type GateState,
  type KeyName,
  OPEN_GATE,
  type RefusalStreak,
  type Suspension,
} from '../gate/state.ts';
import { type Hold, holds, type RestoreState } from '../restore/holds.ts';
import { locationHintOf } from '../settings/placement.ts';
import { readSettings } from '../settings/settings.ts';
import type { SettingsEnv } from '../settings/settings-env.ts';
import { logAlert, logAlertsGivenUp, logOnHold, logRecovered, logSuspended } from '../telemetry/log.ts';
import type { Observations } from '../telemetry/observations.ts';
import { observedTally } from '../telemetry/observed-tally.ts';
import { type InUse, outboxList } from './outbox-list.ts';
import type { OutboxMetrics } from './outbox-metrics.ts';
import { restingOutboxes } from './resting-outboxes.ts';
import { inTurn, type Turns } from './turn.ts';

/** What the operator sees about the account. */
export type GateStatus = {
  readonly requestsPerMinute: number;
  readonly pausedUntil: number | null;
  readonly suspension: Suspension | null;
  readonly key: KeyName;
  /** The most bytes in a call, if WebEngage has refused one as too large. Otherwise null. */
  readonly maxCallBytes: number | null;
  /** Outboxes that neither send nor store, because of a restore. */
  readonly onHold: readonly string[];
};

/** What the isolates of the Worker count together. */
export type CountGroup = 'bots' | 'tokens_refused';

/** Counts by name, of the last hour and since the first count. */
export type GroupCounts = { readonly lastHour: NamedCounts; readonly total: NamedCounts };

/** What the gate tells the watchdog at the beginning of a run. */
export type WatchBegin = {
  readonly streak: RefusalStreak | undefined;
  readonly outboxes: readonly InUse[];
  /**
   * No outbox has to be asked: lately no call has started, nothing was paused or suspended, no token was refused, and
   * no alert is active.
   */
  readonly isQuiet: boolean;
};

/** The findings of the watchdog, and the destinations of its alerts. */
export type WatchEnd = {
  readonly isBroken: boolean;
  readonly missingBindings: number;
  readonly outboxes: readonly WatchedOutbox[];
  readonly limits: AlertLimits;
  /** The fingerprints of the destinations. */
  readonly destinations: readonly string[];
};

/** The account's figures for `/metrics`, and which outboxes there are. */
export type GateMetrics = GateStatus & {
  readonly startedInLastMinute: number;
  /** The observations that isolates of the Worker reported without an outbox. */
  readonly observed: Observations;
  /** With the figures of those that rest. The others have to be asked. */
  readonly outboxes: readonly { readonly name: string; readonly resting: OutboxMetrics | undefined }[];
};

/** Fields of the gate's state whose names have changed since releases before 0.2.0. */
type OlderState = {
  readonly held?: Suspension | undefined;
  readonly lastWall?: RefusalStreak | undefined;
};

const HOUR_MINUTES = 60;

// Batches refused for their tokens make an alert if there are enough of them within these minutes.
const RECENT_MINUTES = 5;

// Longer than the time between two runs of the watchdog.
const ACTIVE_FOR_MS = 2 * MINUTE_MS;

// How long an outbox waits before it asks again if a setting is missing, or if it is on hold.
const AFTER_FAULT_MS = 30_000;

/**
 * The account's only rate limit: in any 60 seconds no more calls start than it allows, over all outboxes. A start is
 * stored before it is granted, with those of the next seconds, so that a gate that dies can't grant it twice.
 */
export class RateGate extends DurableObject<SettingsEnv> {
  // Imports wait in a row of their own.
  readonly #turns = { imports: new Map() as Turns, others: new Map() as Turns };
  readonly #observed = observedTally();
  readonly #outboxes = outboxList(this.ctx.storage.kv);
  readonly #resting = restingOutboxes(this.ctx.storage.kv);
  // The state since the last write, while it is within what that reserved.
  #ahead: { readonly reservedUntil: number; readonly state: GateState } | undefined;
  readonly #holds = holds(this.ctx.storage.kv);
  readonly #counts: Readonly<Record<CountGroup, CountTally>> = {
    bots: countTally('counts:bots'),
    tokens_refused: countTally('counts:tokens_refused'),
  };

  /**
   * Asks to start one call to WebEngage. A granted permit that is not used is lost.
   *
   * @param outbox the name of the outbox that asks; undefined for outboxes of an older release
   */
  take(request: PermitRequest, outbox?: string): Permit {
    if (outbox !== undefined) this.#resting.end(outbox);
    const limits = this.#limits();
    const isOnHold = outbox !== undefined && this.#holds.read(outbox).hold !== undefined;
    if (limits === undefined || isOnHold)
      return {
        granted: false,
        retryInMs: AFTER_FAULT_MS,
        isolatingOnly: false,
        importsOnly: false,
        streak: undefined,
        pacedMs: undefined,
      };
    const stored = this.#stored();
    const before = this.#since(stored);
    const now = Date.now();
    const { state, permit } = takePermit(before, request, limits, now);
    if (state !== before) this.#keepPermit({ stored, before, state }, limits, now);
    const row = !permit.granted && permit.importsOnly ? 'imports' : 'others';
    return inTurn(permit, this.#turns[row], outbox ?? '', now);
  }

  /** Grants nothing for a while, because WebEngage says that the limit is exceeded. */
  pause(forMs: number): void {
    this.#keep(paused(this.#state(), Date.now() + forMs));
  }

  /** WebEngage accepted a call whose permit was marked as suspect. */
  taken(key: KeyName, kind: RecordKind): void {
    this.#keep(taken(this.#state(), key, kind, Date.now()));
  }

  /** WebEngage answered a call as if the key, license or address were wrong. Returns where the fault is. */
  misconfigured(status: number, answered: Answered & { readonly key: KeyName }): Fault {
    const limits = this.#limits();
    if (limits === undefined) return 'account';
    const { state, fault } = misconfigured(this.#state(), status, answered, limits, Date.now());
    this.#keep(state);
    return fault;
  }

  /** WebEngage refused a call because of its records. */
  refused(status: number, answered: Answered): Refusal {
    const { state, refusal } = refused(this.#state(), status, answered, Date.now());
    this.#keep(state);
    return refusal;
  }

  /** A call of this many bytes was accepted, or was too large. */
  sized(bytes: number, wasTaken: boolean): void {
    const state = this.#state();
    const now = Date.now();
    const callSize = wasTaken
      ? state.callSize && fitted(state.callSize, bytes, now)
      : tooLarge(state.callSize, bytes, now);
    if (callSize !== state.callSize) this.#keep({ ...state, callSize });
  }

  status(): GateStatus {
    const state = this.#state();
    const limits = this.#limits();
    return {
      requestsPerMinute:
        limits === undefined ? 0 : allowance(limits.requestsPerMinute, state.seen, Date.now()),
      pausedUntil: state.pausedUntil > Date.now() ? state.pausedUntil : null,
      suspension: state.suspension ?? null,
      key: state.key,
      maxCallBytes: maxBytes(state.callSize, Date.now()) ?? null,
      onHold: this.#holds.onHold(),
    };
  }

  /** @param ticket names this scrape, for `keepResting` */
  metrics(ticket: string): GateMetrics {
    const now = Date.now();
    return {
      ...this.status(),
      startedInLastMinute: this.#state().starts.filter((at) => at > now - MINUTE_MS && at <= now).length,
      observed: this.#observed.write(this.ctx.storage.kv, now),
      outboxes: this.outboxes().map(({ name }) => ({ name, resting: this.#resting.read(name, ticket) })),
    };
  }

  /** Keeps the figures of outboxes that rest, as a scrape has found them. */
  keepResting(
    ticket: string,
    outboxes: readonly { readonly name: string; readonly figures: OutboxMetrics }[],
  ): void {
    for (const { name, figures } of outboxes) this.#resting.keep(name, ticket, figures);
  }

  /** This outbox has counted something without asking for a permit. Its figures have to be read again. */
  endRest(outbox: string): void {
    this.#resting.end(outbox);
  }

  /**
   * Counts what an isolate of the Worker has observed, if no batch could take it along. Written at once: the gate
   * may be evicted before the next scrape.
   */
  observe(observed: Observations): void {
    this.#observed.add(observed);
    this.#observed.write(this.ctx.storage.kv, Date.now());
  }

  /** The last refusal streak. Records that were given up during it may not have been at fault. */
  lastStreak(): RefusalStreak | undefined {
    return this.#state().lastStreak;
  }

  /** Adds the counts of an isolate of the Worker since its last report. */
  addCounts(group: CountGroup, counts: NamedCounts): void {
    this.#counts[group].add(this.ctx.storage.kv, counts, Date.now());
  }

  /** The counts of all isolates together. */
  counts(group: CountGroup): GroupCounts {
    const counts = this.#counts[group].read(this.ctx.storage.kv);
    return { lastHour: lastCounts(counts, HOUR_MINUTES, Date.now()), total: counts.total };
  }

  /** Begins a run of the watchdog. */
  beginWatch(): WatchBegin {
    const now = Date.now();
    const { suspension, pausedUntil, starts } = this.#state();
    const isSending =
      suspension !== undefined || Math.max(pausedUntil, starts.at(-1) ?? 0) > now - ACTIVE_FOR_MS;
    const isRefusing = this.#tokensRefused(now) > 0;
    for (const outbox of this.#holds.onHold()) logOnHold(outbox);
    return {
      streak: this.lastStreak(),
      outboxes: this.outboxes(),
      isQuiet: !isSending && !isRefusing && isQuiet(this.#alerts()),
    };
  }

  /**
   * Ends a run: begins and ends alerts, and returns the messages to send. They are stored first, and other runs
   * don't send them for a while. So each message is sent at least once, and seldom twice.
   */
  endWatch({ limits, destinations, ...found }: WatchEnd): Due {
    const now = Date.now();
    const onHold = this.#holds.onHold();
    const findings = {
      ...found,
      // An outbox on hold answers 503 to new records too.
      outboxes: found.outboxes.map(({ watch, ...outbox }) => ({
        ...outbox,
        watch: watch && { ...watch, full: watch.full || onHold.includes(outbox.name) },
      })),
      suspendedBy: this.#state().suspension?.status ?? null,
      tokensRefused: this.#tokensRefused(now),
    };
    const before = this.#alerts();
    const { state, due, made, givenUp } = runOf(before, findings, { limits, destinations }, now);
    // Each write is billed as a row.
    if (state !== before) this.#keepAlerts(state);
    for (const notice of made) logAlert(notice);
    if (givenUp > 0) logAlertsGivenUp(givenUp);
    return due;
  }

  /** Messages of this destination were sent, or could not be sent. */
  alertsSent(destination: string, attempt: Attempt): void {
    this.#keepAlerts(delivered(this.#alerts(), destination, attempt, Date.now()));
  }

  /** The alerts, as the operator sees them. */
  alertReport(): AlertReport {
    return alertReport(this.#alerts());
  }

  /** How many batches were refused for their tokens within the last minutes. */
  #tokensRefused(now: number): number {
    const counts = this.#counts.tokens_refused.read(this.ctx.storage.kv);
    return Object.values(lastCounts(counts, RECENT_MINUTES, now)).reduce<number>(
      (sum, count = 0) => sum + count,
      0,
    );
  }

  #alerts(): AlertState {
    return this.ctx.storage.kv.get<AlertState>('alerts') ?? NO_ALERTS;
  }

  #keepAlerts(state: AlertState): void {
    this.ctx.storage.kv.put('alerts', state);
  }

  /**
   * Lists this outbox as in use, so that the watchdog finds it even if new records go to others. Releases before
   * 0.2.0 have a method `enrol` that takes a number. The names differ because both releases may run during a deploy.
   * True if the outbox is on hold.
   */
  enrolOutbox(name: string): boolean {
    const isOnHold = this.#holds.read(name).hold !== undefined;
    const isListed = this.outboxes().some((each) => each.name === name);
    if (!isOnHold || !isListed) this.#outboxes.enrol(name);
    return isOnHold;
  }

  /** Whether an outbox is on hold for a restore, and when it was last restored. */
  restoreOf(outbox: string): RestoreState {
    return this.#holds.read(outbox);
  }

  /** Puts an outbox on hold: it gets no permits, and takes no records. False if it is on hold already. */
  beginHold(outbox: string, hold: Hold): boolean {
    if (!this.#holds.begin(outbox, hold)) return false;
    this.#resting.end(outbox);
    // The restored outbox may hold records, even if it was empty and no longer listed.
    this.enrolOutbox(outbox);
    return true;
  }

  /** Adds the findings of a restore to the hold of its outbox. */
  keepHold(outbox: string, id: string, found: Pick<Hold, 'before' | 'undo'>): void {
    this.#holds.keep(outbox, id, found);
  }

  /** Ends the hold. `restored`: whether the outbox stays as it was at the moment. */
  endHold(outbox: string, restored: boolean): void {
    this.#resting.end(outbox);
    this.#holds.end(outbox, restored);
  }

  /**
   * Removes outboxes that are empty, except those that have enrolled since. Also except those on hold: no request
   * could name them then, so nobody could undo the restore or end the hold.
   */
  retire(empty: readonly InUse[]): void {
    const onHold = this.#holds.onHold();
    const retired = this.#outboxes.retire(empty.filter(({ name }) => !onHold.includes(name)));
    for (const name of retired) this.#resting.end(name);
  }

  /** Every outbox that may hold something. */
  outboxes(): readonly InUse[] {
    return this.#outboxes.list();
  }

  #state(): GateState {
    return this.#since(this.#stored());
  }

  /** The stored state, with what was granted since from its reserve. */
  #since(stored: GateState): GateState {
    const ahead = this.#ahead;
    return ahead?.reservedUntil === stored.pace.nextDueAt ? ahead.state : stored;
  }

  #stored(): GateState {
    const stored = this.ctx.storage.kv.get<Partial<GateState> & OlderState>('state') ?? {};
    const { held: suspension, lastWall: lastStreak, ...state } = stored;
    // Fields that an older release has not stored get the values of a new gate.
    return { ...OPEN_GATE, suspension, lastStreak, ...state };
  }

  /** A permit never starts or ends a suspension, so it is not logged. */
  #keepPermit(
    { stored, before, state }: Readonly<Record<'stored' | 'before' | 'state', GateState>>,
    { requestsPerMinute }: GateLimits,
    now: number,
  ): void {
    const [was, is] = [before, state].map(({ seen }) => allowance(requestsPerMinute, seen, now));
    const isReserved = isWithinReserve(stored, before, state, was === is);
    const next = isReserved ? stored : withReserve(state, now);
    if (!isReserved) this.ctx.storage.kv.put('state', next);
    this.#ahead = { reservedUntil: next.pace.nextDueAt, state };
  }

  #keep(state: GateState): void {
    const { suspension } = this.#state();
    if (suspension === undefined && state.suspension !== undefined) logSuspended(state.suspension.status);
    if (suspension !== undefined && state.suspension === undefined) logRecovered(suspension, Date.now());
    this.ctx.storage.kv.put('state', state);
  }

  #limits(): GateLimits | undefined {
    const read = readSettings(this.env);
    if (!read.ok) return undefined;
    const { requestsPerMinute, apiKeys, laneFloors } = read.settings;
    return {
      requestsPerMinute,
      hasSecondaryKey: apiKeys.secondary !== undefined,
      importFloor: laneFloors.import,
    };
  }
}

/**
 * The account's only gate. Its name does not contain the license code: correcting a wrong one must not hide
 * the state stored so far. It is in no jurisdiction: it holds no personal data, and a second gate would
 * double the account's limit.
 */
export function gateOf(env: GateEnv): DurableObjectStub<RateGate> {
  const locationHint = locationHintOf(env);
  return env.RATE_GATE.getByName('account', locationHint && { locationHint });
}

export type GateEnv = SettingsEnv & { readonly RATE_GATE: DurableObjectNamespace<RateGate> };
