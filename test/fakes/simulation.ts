import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { MAX_BATCH_RECORDS } from '../../src/contract/batch.ts';
import { saidIn } from '../../src/edge/delivery/error-text.ts';
import { noEvidence } from '../../src/edge/delivery/evidence.ts';
import { type RelayPassPorts, relayPasses } from '../../src/edge/delivery/relay-pass.ts';
import { signal } from '../../src/edge/delivery/signal.ts';
import { bulkBody, type UpstreamCall } from '../../src/edge/delivery/webengage.ts';
import type { Outbox } from '../../src/edge/durable-objects/outbox.ts';
import { inTurn as inTurnAtGate, type Turns } from '../../src/edge/durable-objects/turn.ts';
import { misconfigured, refused, taken } from '../../src/edge/gate/answers.ts';
import { fitted, tooLarge } from '../../src/edge/gate/call-size.ts';
import { paused, takePermit } from '../../src/edge/gate/permits.ts';
import { type GateLimits, type GateState, OPEN_GATE } from '../../src/edge/gate/state.ts';
import { dueTimes, msPerRecordOf } from '../../src/edge/limits/fair-queue.ts';
import { type Shares, shares } from '../../src/edge/limits/fair-share.ts';
import { laneCredits } from '../../src/edge/limits/lane-credit.ts';
import { type Delivery, ingest } from '../../src/edge/queue/ingest.ts';
import { IMPORT_AHEAD_MINUTES } from '../../src/edge/queue/room.ts';
import { openTables } from '../../src/edge/queue/schema.ts';
import { turnOver } from '../../src/edge/queue/segments/turn-over.ts';
import { shardOf, shardsOf } from '../../src/edge/settings/shards.ts';
import { FAKE_KEY, type FakeAccount } from './account.ts';
import { FLOORS, newOutbox, ROOM } from './outbox.ts';
import { settled } from './settled.ts';

/** Where an outbox can crash: between any two of its steps. */
export type Step =
  | 'request arrived'
  | 'records stored'
  | 'permit requested'
  | 'permit granted'
  | 'batch sealed'
  | 'records accepted'
  | 'answer arrived'
  | 'report sent'
  | 'report received'
  | 'slept';

export type SimulationOptions = {
  /** The batches of browsers, in order of time. One without an answer is sent again. */
  readonly deliveries: readonly { readonly at: number; readonly delivery: Delivery }[];
  /** Devices with a long file: each sends its next batch once the one before is stored. */
  readonly files?: readonly (() => Delivery | undefined)[];
  /** How many outboxes share the gate, each with a part of the devices. Only one may crash. By default, one. */
  readonly outboxes?: number;
  readonly account: (now: () => number) => FakeAccount;
  readonly latencyMs: () => number;
  /** One way between the outbox and the gate. */
  readonly gateMs?: () => number;
  readonly limits?: GateLimits;
  readonly lingerMs?: number;
  /** How long a relay pass runs at most. */
  readonly passMs?: number;
  /** In place of the relay's own, for each life of the outbox. */
  readonly shares?: () => Shares;
  /** Whether the outbox crashes here. */
  readonly crashes?: (step: Step) => boolean;
  readonly random: () => number;
  /** Runs as each call is answered, and may change the account. */
  readonly onAnswer?: (now: number) => void;
  /** The simulation ends then, whatever is left. */
  readonly untilMs?: number;
  readonly stub?: DurableObjectStub<Outbox>;
};

export type SimulationEnd = {
  readonly stub: DurableObjectStub<Outbox>;
  readonly account: FakeAccount;
  readonly now: number;
  readonly crashCount: number;
  readonly gate: GateState;
  /** How many calls were under way at most. */
  readonly mostInFlight: number;
  /** Calls that left while another one with records of the same person was under way. */
  readonly overlaps: number;
  /** Deliveries of browsers that had had their share, which they sent again. */
  readonly limited: number;
};

export const SIMULATION_START = Date.parse('2026-11-23T12:00:00Z');

// How long the platform takes to run an alarm again that crashed.
const RESTART_MS = 500;

const NOTHING_SAID = { says: undefined, words: '' };

// How long after an answer a file's next batch arrives.
const UPLOAD_MS = 50;

// How long a browser waits for an answer before it sends again.
const RESEND_MS = 2_000;

const GATE_STEPS: ReadonlySet<Step> = new Set([
  'permit requested',
  'permit granted',
  'report sent',
  'report received',
]);

type RunEnd = 'over' | 'crashed';

// Far more often than in production, where it takes thousands of flushes.
const TURNED_OVER_EVERY = 10;

type Pending = SimulationOptions['deliveries'][number] & {
  readonly unanswered: boolean;
  readonly next?: () => Delivery | undefined;
};

/** What outboxes send their records with, in one life. */
type LivingOutbox = {
  readonly index: number;
  readonly pass: () => void;
  readonly isPassing: () => boolean;
  readonly deliver: (sent: Pending) => Promise<void>;
};

/**
 * Simulates an outbox in the real runtime, with a gate and WebEngage, in virtual time: hours take moments, and the same seed
 * gives the same run. When the outbox crashes, everything in flight is lost and it is evicted: only storage remains.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationEnd> {
  const { latencyMs, random, gateMs = () => 1 + Math.floor(random() * 8), crashes = () => false } = options;
  const { onAnswer = () => {} } = options;
  const limits = options.limits ?? { requestsPerMinute: 500, hasSecondaryKey: false, importFloor: 0.05 };
  const lingerMs = options.lingerMs ?? 1_000;
  const endAt = SIMULATION_START + (options.untilMs ?? Number.POSITIVE_INFINITY);
  const stub = options.stub ?? newOutbox();
  const { outboxes = 1, files = [] } = options;
  const names = shardsOf(outboxes);
  let pending: Pending[] = [
    ...options.deliveries.map((each) => ({ ...each, unanswered: false })),
    ...files.flatMap((next) => nextOf(next, SIMULATION_START)),
  ];
  let now = SIMULATION_START;
  let gate = OPEN_GATE;
  const turns: Readonly<Record<'imports' | 'others', Turns>> = { imports: new Map(), others: new Map() };
  const alarms: (number | null)[] = names.map(() => null);
  let crashCount = 0;
  let mostInFlight = 0;
  let overlaps = 0;
  let limited = 0;
  const account = options.account(() => now);

  async function run(storage: DurableObjectStorage): Promise<RunEnd> {
    const timers: { at: number; run: () => void }[] = [];
    let hasCrashed = false;
    const inFlight = new Set<UpstreamCall>();
    const living = names.map((_, index) =>
      liveOutbox(index, outboxes === 1 ? storage : tablesOf(storage, index)),
    );

    while (true) {
      await settled();
      if (hasCrashed) return 'crashed';
      const delivery = earliest(pending);
      const timer = earliest(timers);
      const alarm = earliest(
        living.flatMap(({ index, isPassing, pass }) => {
          const at = alarms[index] ?? null;
          return isPassing() || at === null ? [] : [{ at, pass }];
        }),
      );
      const next = earliest([delivery, timer, alarm].filter((each) => each !== undefined));
      if (next === undefined || next.at > endAt) return 'over';
      now = Math.max(now, next.at);
      if (next === timer && timer !== undefined) {
        timers.splice(timers.indexOf(timer), 1);
        timer.run();
      } else if (next === delivery && delivery !== undefined) {
        pending.splice(pending.indexOf(delivery), 1);
        void living[names.indexOf(shardOf(delivery.delivery.device, outboxes))]?.deliver(delivery);
      } else alarm?.pass();
    }

    function liveOutbox(index: number, storage: DurableObjectStorage): LivingOutbox {
      const fullBatch = signal();
      let passing = false;
      let stored = 0;
      let backoffUntil = 0;
      const recordsPerMinute = (limits.requestsPerMinute * MAX_BATCH_RECORDS) / outboxes;
      const known = dueTimes();
      const ofEach = options.shares?.() ?? shares(recordsPerMinute, known);
      const room = { ...ROOM, importRecords: IMPORT_AHEAD_MINUTES * recordsPerMinute };

      const until = (at: number) => new Promise<void>((run) => timers.push({ at, run }));
      /** Never comes back to a run that crashes here. */
      const step = async (name: Step): Promise<void> => {
        if (hasCrashed || crashes(name)) {
          hasCrashed = true;
          await new Promise(() => {});
        }
        // To the gate and back takes its time, in which everything else goes on.
        if (GATE_STEPS.has(name)) await until(now + gateMs());
      };
      const report = async (change: (state: GateState) => GateState) => {
        await step('report sent');
        gate = change(gate);
        await step('report received');
      };
      const virtual = withAlarm(storage, (at) => {
        alarms[index] = Math.max(at, now + 1);
      });

      const ports: RelayPassPorts = {
        storage: virtual,
        lingerMs,
        ...(options.passMs !== undefined && { passMs: options.passMs }),
        msPerRecord: msPerRecordOf(recordsPerMinute),
        dueTimes: known,
        lanes: laneCredits(FLOORS),
        evidence: noEvidence(),
        now: () => now,
        random,
        sleep: async (ms) => {
          await until(now + ms);
          await step('slept');
        },
        newRequestId: () => hex(random),
        fullBatch: fullBatch.heard,
        maxSubrequests: 10_000,
        logFailedCall: () => {},
        logUnfamiliar: () => {},
        logFault: () => {},
        gate: {
          take: async (ask) => {
            await step('permit requested');
            const { state, permit: decided } = takePermit(gate, ask, limits, now);
            gate = state;
            const row = !decided.granted && decided.importsOnly ? 'imports' : 'others';
            const permit = inTurnAtGate(decided, turns[row], `${index}`, now);
            await step('permit granted');
            return permit;
          },
          pause: (forMs) => report((state) => paused(state, now + forMs)),
          sized: (bytes, wasTaken) =>
            report(({ callSize, ...state }) => ({
              ...state,
              callSize: wasTaken ? callSize && fitted(callSize, bytes, now) : tooLarge(callSize, bytes, now),
            })),
          taken: (key, kind) => report((state) => taken(state, key, kind, now)),
          misconfigured: async (status, answered) => {
            await step('report sent');
            const { state, fault } = misconfigured(gate, status, answered, limits, now);
            gate = state;
            await step('report received');
            return fault;
          },
          refused: async (status, answered) => {
            await step('report sent');
            const { state, refusal } = refused(gate, status, answered, now);
            gate = state;
            await step('report received');
            return refusal;
          },
        },
        upstream: async (call) => {
          await step('batch sealed');
          if ([...inFlight].some((other) => sharePerson(other, call))) overlaps += 1;
          inFlight.add(call);
          mostInFlight = Math.max(mostInFlight, inFlight.size);
          const body = bulkBody(call);
          const reply = account.call({
            kind: call.kind,
            requestId: call.requestId,
            body,
            key: call.key === 'primary' ? FAKE_KEY : 'secondary-key',
          });
          await step('records accepted');
          await until(now + latencyMs() + reply.delayMs);
          inFlight.delete(call);
          onAnswer(now);
          await step('answer arrived');
          const [limit, remaining] = ['X-RateLimit-Limit', 'X-RateLimit-Remaining'].map((name) =>
            Number(reply.headers[name]),
          );
          return {
            status: reply.cut ? 0 : reply.status,
            retryAfter: reply.headers['Retry-After'] ?? null,
            ...(reply.cut ? NOTHING_SAID : saidIn(reply.body, [])),
            bytes: body.length,
            rateLimit: limit && remaining !== undefined ? { limit, remaining } : undefined,
          };
        },
      };

      const nextPass = relayPasses(ports);

      function pass(): void {
        alarms[index] = null;
        passing = true;
        nextPass().then(
          ({ nextAt, backsOff }) => {
            passing = false;
            backoffUntil = backsOff ? (nextAt ?? 0) : 0;
            if (nextAt !== undefined)
              alarms[index] = Math.max(Math.min(nextAt, alarms[index] ?? nextAt), now + 25);
          },
          () => {
            passing = false;
            alarms[index] = now + 30_000;
          },
        );
      }

      async function deliver(sent: Pending): Promise<void> {
        const unanswered = { ...sent, at: now + RESEND_MS, unanswered: true };
        pending.push(unanswered);
        await step('request arrived');
        const comes = {
          alarmAt: alarms[index] ?? null,
          lingerMs,
          backoffUntil,
          awaitsFullBatch: fullBatch.isAwaited(),
          fullBatch: fullBatch.ring,
        };
        const receipt = ingest(virtual, sent.delivery, comes, room, now, { shares: ofEach });
        stored += 1;
        if (stored % TURNED_OVER_EVERY === 0) turnOver(virtual, now);
        await step('records stored');
        pending.splice(pending.indexOf(unanswered), 1);
        if (receipt.stored) {
          if (sent.next !== undefined) pending.push(...nextOf(sent.next, now + UPLOAD_MS));
          return;
        }
        limited += 1;
        // With as much again for the spread, as the door tells it.
        const retryInMs = Math.ceil((receipt.retryInMs ?? RESEND_MS) * (1 + random()));
        pending = inTurn([...pending, { ...sent, at: now + retryInMs, unanswered: true }]);
      }

      return { index, pass, isPassing: () => passing, deliver };
    }
  }

  while ((await runInDurableObject(stub, (_, { storage }) => run(storage))) === 'crashed') {
    crashCount += 1;
    now += RESTART_MS;
    // An alarm that died is run again; one that was set stays set.
    alarms[0] ??= now;
    pending = inTurn(pending);
    await evictDurableObject(stub);
  }
  return { stub, account, now, crashCount, gate, mostInFlight, overlaps, limited };
}

/** The next batch of a file, if there is one. */
function nextOf(next: () => Delivery | undefined, at: number): Pending[] {
  const delivery = next();
  return delivery === undefined ? [] : [{ at, delivery, unanswered: false, next }];
}

/** A browser sends nothing new before what it sent is answered for. Those that wait for it go after it, in their order. */
function inTurn(pending: readonly Pending[]): Pending[] {
  const since = new Map<string, number>();
  for (const { at, delivery, unanswered } of pending) if (unanswered) since.set(delivery.device, at);
  return pending.map((each) => {
    const after = each.unanswered ? undefined : since.get(each.delivery.device);
    return after === undefined ? each : { ...each, at: Math.max(each.at, after + 1) };
  });
}

function earliest<Timed extends { readonly at: number }>(timed: readonly Timed[]): Timed | undefined {
  let first = timed[0];
  for (const each of timed) if (first === undefined || each.at < first.at) first = each;
  return first;
}

function sharePerson(one: UpstreamCall, other: UpstreamCall): boolean {
  const people = new Set(one.records.map(({ userId }) => userId));
  return other.records.some(({ userId }) => people.has(userId));
}

function hex(random: () => number): string {
  return Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
}

/** The storage itself, but for its alarm, which is the test's. */
function withAlarm(storage: DurableObjectStorage, setAlarm: (at: number) => void): DurableObjectStorage {
  return new Proxy(storage, {
    get: (target, name) => {
      if (name === 'setAlarm') return setAlarm;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The tables of one of several outboxes that share a database. The ids that they know are of different devices. */
function tablesOf(storage: DurableObjectStorage, index: number): DurableObjectStorage {
  const own = (query: string) =>
    query.replace(
      /(?<!')\b(run|run_a|run_b|segments|batch|dead|minute|off_plan|suppressed)\b/g,
      `$1_of_${index}`,
    );
  const sql: SqlStorage = new Proxy(storage.sql, {
    get: (target, name) =>
      name === 'exec'
        ? (query: string, ...bindings: unknown[]) => target.exec(own(query), ...bindings)
        : Reflect.get(target, name),
  });
  const tables = new Proxy(storage, {
    get: (target, name) => {
      if (name === 'sql') return sql;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  openTables(
    new Proxy(tables, { get: (target, name) => (name === 'kv' ? NO_KV : Reflect.get(target, name)) }),
  );
  return tables;
}

const NO_KV = { get: () => undefined, put: () => {} };
