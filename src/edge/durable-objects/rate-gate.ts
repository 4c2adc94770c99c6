import { DurableObject } from 'cloudflare:workers';
import type { RecordKind } from '../../contract/record.ts';
import { allowance } from '../gate/allowance.ts';
import { type Answered, type Fault, misconfigured, type Refusal, refused, taken } from '../gate/answers.ts';
import { type Ask, type Permit, paused, takePermit } from '../gate/permits.ts';
import {
  type GateLimits,
  type GateState,
  type Held,
  type KeyName,
  OPEN_GATE,
  type Wall,
} from '../gate/state.ts';
import { readSettings, type SettingsEnv } from '../settings/settings.ts';
import { logHeld, logRecovered } from '../telemetry/log.ts';
import { inTurn } from './turn.ts';

/** What the operator is told of the account. */
export type GateStatus = {
  readonly requestsPerMinute: number;
  readonly pausedUntil: number | null;
  readonly held: Held | null;
  readonly key: KeyName;
};

/** A number of shards, and which enrolment of an outbox it was last known by. */
export type Epoch = { readonly shards: number; readonly turn: number };

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
        wall: undefined,
        pacedMs: undefined,
      };
    const before = this.#state();
    const now = Date.now();
    const asked = takePermit(before, ask, limits, now);
    // Only what a permit or a header changes is written: a row each is billed. It never begins or ends a hold.
    if (asked.state !== before) this.ctx.storage.kv.put('state', asked.state);
    const { permit, nextTurnAt } = inTurn(asked.permit, this.#nextTurnAt, now);
    this.#nextTurnAt = nextTurnAt;
    return permit;
  }

  /** Grants nothing for a while: WebEngage says that the limit is exceeded. */
  pause(forMs: number): void {
    this.#keep(paused(this.#state(), Date.now() + forMs));
  }

  /** WebEngage took a call for which the permit was marked as suspect. */
  taken(key: KeyName, kind: RecordKind): void {
    this.#keep(taken(this.#state(), key, kind, Date.now()));
  }

  /** WebEngage answered a call as one does to a wrong key, license or address. Answers whose fault it is. */
  misconfigured(status: number, answered: Answered & { readonly key: KeyName }): Fault {
    const limits = this.#limits();
    if (limits === undefined) return 'account';
    const { state, fault } = misconfigured(this.#state(), status, answered, limits, Date.now());
    this.#keep(state);
    return fault;
  }

  /** WebEngage refused a call for its records. */
  refused(status: number, answered: Answered): Refusal {
    const { state, refusal } = refused(this.#state(), status, answered, Date.now());
    this.#keep(state);
    return refusal;
  }

  status(): GateStatus {
    const state = this.#state();
    const limits = this.#limits();
    return {
      requestsPerMinute:
        limits === undefined ? 0 : allowance(limits.requestsPerMinute, state.seen, Date.now()),
      pausedUntil: state.pausedUntil > Date.now() ? state.pausedUntil : null,
      held: state.held ?? null,
      key: state.key,
    };
  }

  /** The last wall of refusals: what was given up while it stood may have been no fault of its own. */
  lastWall(): Wall | undefined {
    return this.#state().lastWall;
  }

  /** Remembers that this number of shards holds records, so that they are looked after when it is another one. */
  enrol(shards: number): void {
    const epochs = this.epochs();
    const turn = 1 + Math.max(0, ...epochs.map((epoch) => epoch.turn));
    this.#keepEpochs([...epochs.filter((epoch) => epoch.shards !== shards), { shards, turn }]);
  }

  /** Forgets a number of shards whose outboxes are empty, unless one of them has been enrolled since. */
  retire(shards: number, turn: number): void {
    this.#keepEpochs(this.epochs().filter((epoch) => epoch.shards !== shards || epoch.turn !== turn));
  }

  /** Every number of shards whose outboxes may hold something. */
  epochs(): readonly Epoch[] {
    return this.ctx.storage.kv.get<Epoch[]>('epochs') ?? [];
  }

  #keepEpochs(epochs: readonly Epoch[]): void {
    this.ctx.storage.kv.put('epochs', epochs);
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

/** The one gate. Of one name, whatever the license code: a wrong one that is put right must not hide what was held. */
export function gateOf({
  RATE_GATE,
}: {
  readonly RATE_GATE: DurableObjectNamespace<RateGate>;
}): DurableObjectStub<RateGate> {
  return RATE_GATE.getByName('account');
}
