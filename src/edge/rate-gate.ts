import { DurableObject } from 'cloudflare:workers';
import {
  type Ask,
  allowance,
  type GateLimits,
  type GateState,
  type Held,
  type KeyName,
  misconfigured,
  OPEN_GATE,
  type Permit,
  paused,
  type Refusal,
  refused,
  taken,
  takePermit,
} from './gate.ts';
import { logHeld, logRecovered } from './log.ts';
import { readSettings, type SettingsEnv } from './settings.ts';
import { inTurn } from './turn.ts';

/** What the operator is told of the account. */
export type GateStatus = {
  readonly requestsPerMinute: number;
  readonly pausedUntil: number | null;
  readonly held: Held | null;
  readonly key: KeyName;
};

// How soon to ask again where a setting is missing.
const AFTER_FAULT_MS = 30_000;

/**
 * The account's one rate limit: in any 60 seconds no more calls start than it allows, whoever asks.
 * What it answers is in storage before it leaves: a gate that dies can't lend the same start twice.
 */
export class RateGate extends DurableObject<SettingsEnv> {
  // A cache: once it is lost, all who wait ask for the same turn, once.
  #nextTurnAt = 0;

  /** Asks to start one call to WebEngage. A granted permit that is not used is lost. */
  take(ask: Ask): Permit {
    const limits = this.#limits();
    if (limits === undefined)
      return {
        granted: false,
        retryInMs: AFTER_FAULT_MS,
        isolatingOnly: false,
        wallSince: undefined,
        pacedMs: undefined,
      };
    const before = this.#state();
    const now = Date.now();
    const asked = takePermit(before, ask, limits, now);
    if (asked.state !== before) this.#keep(asked.state);
    const { permit, nextTurnAt } = inTurn(asked.permit, this.#nextTurnAt, now);
    this.#nextTurnAt = nextTurnAt;
    return permit;
  }

  /** Grants nothing for a while: WebEngage says that the limit is exceeded. */
  pause(forMs: number): void {
    this.#keep(paused(this.#state(), Date.now() + forMs));
  }

  /** WebEngage took a call for which the permit was marked as suspect. */
  taken(key: KeyName): void {
    this.#keep(taken(this.#state(), key, Date.now()));
  }

  /** WebEngage answered a call as one does to a wrong key, license or address. */
  misconfigured(status: number, key: KeyName): void {
    const limits = this.#limits();
    if (limits !== undefined) this.#keep(misconfigured(this.#state(), status, key, limits, Date.now()));
  }

  /** WebEngage refused a call for its records. */
  refused(status: number, before: number | undefined): Refusal {
    const { state, refusal } = refused(this.#state(), status, before, Date.now());
    this.#keep(state);
    return refusal;
  }

  status(): GateStatus {
    const state = this.#state();
    const limits = this.#limits();
    return {
      requestsPerMinute: limits === undefined ? 0 : allowance(state, limits, Date.now()),
      pausedUntil: state.pausedUntil > Date.now() ? state.pausedUntil : null,
      held: state.held ?? null,
      key: state.key,
    };
  }

  /** Remembers that this number of shards holds records, so that they are looked after when it is another one. */
  enrol(shards: number): void {
    this.ctx.storage.kv.put('epochs', [...new Set([...this.epochs(), shards])]);
  }

  /** Forgets a number of shards whose outboxes are empty. */
  retire(shards: number): void {
    this.ctx.storage.kv.put(
      'epochs',
      this.epochs().filter((epoch) => epoch !== shards),
    );
  }

  /** Every number of shards whose outboxes may hold something. */
  epochs(): readonly number[] {
    return this.ctx.storage.kv.get<number[]>('epochs') ?? [];
  }

  #state(): GateState {
    return this.ctx.storage.kv.get<GateState>('state') ?? OPEN_GATE;
  }

  #keep(state: GateState): void {
    const { held } = this.#state();
    if (held === undefined && state.held !== undefined) logHeld(state.held.status);
    if (held !== undefined && state.held === undefined) logRecovered(held, Date.now());
    this.ctx.storage.kv.put('state', state);
  }

  #limits(): GateLimits | undefined {
    const read = readSettings(this.env);
    if (!read.ok) return undefined;
    const { requestsPerMinute, apiKeys } = read.settings;
    return { requestsPerMinute, hasSecondaryKey: apiKeys.secondary !== undefined };
  }
}
