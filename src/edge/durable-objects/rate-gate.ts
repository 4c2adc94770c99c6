import { DurableObject } from 'cloudflare:workers';
import type { RecordKind } from '../../contract/record.ts';
import { allowance } from '../gate/allowance.ts';
import { type Answered, type Fault, misconfigured, type Refusal, refused, taken } from '../gate/answers.ts';
import { fitted, maxBytes, tooLarge } from '../gate/call-size.ts';
import { type Ask, type Permit, paused, takePermit } from '../gate/permits.ts';
import {
  type GateLimits,
  type GateState,
  type Held,
  type KeyName,
  OPEN_GATE,
  type Wall,
} from '../gate/state.ts';
import { locationHintOf } from '../settings/placement.ts';
import { readSettings } from '../settings/settings.ts';
import type { SettingsEnv } from '../settings/settings-env.ts';
import { shardsOf } from '../settings/shards.ts';
import { logHeld, logRecovered } from '../telemetry/log.ts';
import { inTurn } from './turn.ts';

/** What the operator is told of the account. */
export type GateStatus = {
  readonly requestsPerMinute: number;
  readonly pausedUntil: number | null;
  readonly held: Held | null;
  readonly key: KeyName;
  /** The most bytes of a call, where WebEngage refused one as too large; null where it never did. */
  readonly maxCallBytes: number | null;
};

/** An outbox that may hold something, and which enrolment of any it was last known by. */
export type InUse = { readonly name: string; readonly turn: number };

// 0: written down nowhere, by a release before 0.2.0.
const SCHEMA_VERSION = 1;

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

  /** A call of so many bytes was taken, or was too large. */
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
      held: state.held ?? null,
      key: state.key,
      maxCallBytes: maxBytes(state.callSize, Date.now()) ?? null,
    };
  }

  /** The last wall of refusals: what was given up while it stood may have been no fault of its own. */
  lastWall(): Wall | undefined {
    return this.#state().lastWall;
  }

  /**
   * Remembers that this outbox holds records, so that it is looked after when new ones go to others. Of another name than the
   * `enrol` of releases before 0.2.0, which took a number: while a deploy rolls out one may still ask the other.
   */
  enrolOutbox(name: string): void {
    const { kv } = this.ctx.storage;
    // Never the same twice: what is retired was looked at under one turn.
    const turn = 1 + Math.max(kv.get<number>('turn') ?? 0, ...this.outboxes().map((each) => each.turn));
    kv.put('turn', turn);
    this.#keepOutboxes([...this.outboxes().filter((each) => each.name !== name), { name, turn }]);
  }

  /** Forgets outboxes that are empty, but for those that were enrolled since. */
  retire(empty: readonly InUse[]): void {
    const known = this.outboxes();
    const isEmpty = ({ name, turn }: InUse) => empty.some((each) => each.name === name && each.turn === turn);
    const left = known.filter((each) => !isEmpty(each));
    if (left.length < known.length) this.#keepOutboxes(left);
  }

  /** Every outbox that may hold something. */
  outboxes(): readonly InUse[] {
    const { kv } = this.ctx.storage;
    const known = kv.get<InUse[]>('outboxes') ?? [];
    // A release before 0.2.0 keeps numbers of shards, and may do so again after a rollback.
    const epochs = kv.get<{ readonly shards: number; readonly turn: number }[]>('epochs') ?? [];
    const older = epochs
      .flatMap(({ shards, turn }) => shardsOf(shards).map((name) => ({ name, turn })))
      .filter(({ name }) => !known.some((each) => each.name === name));
    return [...known, ...older];
  }

  /** All of them, those of an older release too: what it kept is theirs from now on. */
  #keepOutboxes(outboxes: readonly InUse[]): void {
    const { kv } = this.ctx.storage;
    kv.put('schemaVersion', SCHEMA_VERSION);
    kv.put('outboxes', outboxes);
    kv.delete('epochs');
  }

  #state(): GateState {
    // What an older release has not written is as in a gate that is new.
    return { ...OPEN_GATE, ...this.ctx.storage.kv.get<Partial<GateState>>('state') };
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

/**
 * The one gate. Of one name, whatever the license code: a wrong one that is put right must not hide what was held. In no
 * jurisdiction: it knows nothing of anybody, and a second one would allow the account's limit twice.
 */
export function gateOf(env: GateEnv): DurableObjectStub<RateGate> {
  const locationHint = locationHintOf(env);
  return env.RATE_GATE.getByName('account', locationHint && { locationHint });
}

export type GateEnv = SettingsEnv & { readonly RATE_GATE: DurableObjectNamespace<RateGate> };
