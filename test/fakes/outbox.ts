import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { LANES, type Lane } from '../../src/contract/lane.ts';
import type { TrackerRecord } from '../../src/contract/record.ts';
import { noEvidence } from '../../src/edge/delivery/evidence.ts';
import { type PassEnd, type RelayPassPorts, relayPasses } from '../../src/edge/delivery/relay-pass.ts';
import type { UpstreamAnswer, UpstreamCall } from '../../src/edge/delivery/webengage.ts';
import type { Outbox } from '../../src/edge/durable-objects/outbox.ts';
import type { Permit } from '../../src/edge/gate/permits.ts';
import { dueTimes } from '../../src/edge/limits/fair-queue.ts';
import { type LaneFloors, laneCredits } from '../../src/edge/limits/lane-credit.ts';
import type { DeadLetter } from '../../src/edge/queue/dead-letters/dead-letters.ts';
import {
  type Accounts,
  type Delivery,
  ingest,
  type Receipt,
  type SendingOn,
} from '../../src/edge/queue/ingest.ts';
import { laneOf } from '../../src/edge/queue/lanes.ts';
import type { Room } from '../../src/edge/queue/room.ts';
import { toRuns } from '../../src/edge/queue/run.ts';
import { recordsOf } from '../../src/edge/queue/sealed-batches.ts';
import { turnOver } from '../../src/edge/queue/segments/turn-over.ts';
import { waitingRuns } from '../../src/edge/queue/segments/waiting-runs.ts';
import type { Env } from '../../src/edge/worker.ts';

export const relayEnv = env as unknown as Env;

let made = 0;

/** An outbox of its own, so that tests do not see each other's. Its alarms are run by hand. */
export function newOutbox(): DurableObjectStub<Outbox> {
  made += 1;
  return relayEnv.OUTBOX.getByName(`test ${made} ${crypto.randomUUID()}`);
}

export const SENDING_ON: SendingOn = {
  alarmAt: null,
  lingerMs: 1_000,
  backoffUntil: 0,
  awaitsFullBatch: false,
  fullBatch: () => {},
};

/** Drops what was delivered, as an outbox does after many flushes or some minutes. */
export function turnOverAt(stub: DurableObjectStub<Outbox>, now: number, maxLeft?: number): Promise<void> {
  return runInDurableObject(stub, (_, { storage }) => turnOver(storage, now, maxLeft));
}

/** What waits in an outbox: its runs, lane by lane in their order. */
export function storedRuns(sql: SqlStorage) {
  return LANES.flatMap((lane) => waitingRuns(sql, lane, { limit: 1_000_000 })).map((run) => ({
    ...run,
    records: recordsOf(sql, { members: [{ ...run, from: 0, to: run.count }] }),
  }));
}

/** How many records wait in an outbox, in one lane or in all. */
export function countStored(sql: SqlStorage, lane?: Lane): number {
  const runs = storedRuns(sql).filter(({ seq }) => lane === undefined || laneOf(seq) === lane);
  return runs.reduce((sum, { count, taken }) => sum + count - taken, 0);
}

/** Room for everything. */
export const ROOM: Room = { records: 1_000_000, bytes: 1_000_000_000, importRecords: 500_000 };

/** The default of `LANES`. */
export const FLOORS: LaneFloors = { live: 0.5, server: 0.3, import: 0.05 };

type IngestOptions = Partial<Accounts> & {
  readonly sendingOn?: Partial<SendingOn>;
  readonly room?: Partial<Room>;
};

/** Stores a delivery at a moment of the test's choice, and leaves no alarm behind. */
export function ingestAt(
  stub: DurableObjectStub<Outbox>,
  delivery: Delivery,
  now: number,
  { sendingOn, room, ...accounts }: IngestOptions = {},
): Promise<Receipt> {
  return runInDurableObject(stub, async (_, { storage }) => {
    const receipt = ingest(
      storage,
      delivery,
      { ...SENDING_ON, ...sendingOn },
      { ...ROOM, ...room },
      now,
      accounts,
    );
    await storage.deleteAlarm();
    return receipt;
  });
}

/** An answer of WebEngage with this status, and nothing else to tell. */
export function answerOf(status: number, fields: Partial<UpstreamAnswer> = {}): UpstreamAnswer {
  const says = status < 300 ? 'queued' : 'error';
  return { status, retryAfter: null, says, words: '', rateLimit: undefined, bytes: 1_000, ...fields };
}

export type Upstream = {
  readonly calls: UpstreamCall[];
  readonly answer: (call: UpstreamCall) => Promise<UpstreamAnswer>;
};

/** WebEngage with a script of statuses. It accepts all calls after those. */
export function scriptedUpstream(...script: (number | UpstreamAnswer | Error)[]): Upstream {
  const calls: UpstreamCall[] = [];
  return {
    calls,
    answer: async (call) => {
      calls.push(call);
      const next = script.shift() ?? 200;
      if (next instanceof Error) throw next;
      return typeof next === 'number' ? answerOf(next) : next;
    },
  };
}

/** WebEngage as a rule: each call is answered by its records. */
export function rulingUpstream(statusOf: (call: UpstreamCall) => number): Upstream {
  const calls: UpstreamCall[] = [];
  return {
    calls,
    answer: async (call) => {
      calls.push(call);
      return answerOf(statusOf(call), { words: 'Error: as the rule says.' });
    },
  };
}

export const GRANTED: Permit = {
  granted: true,
  startInMs: 0,
  key: 'primary',
  ours: 1,
  suspect: false,
  probe: false,
  size: undefined,
};

/** A gate that grants everything. */
export const OPEN: RelayPassPorts['gate'] = {
  take: async () => GRANTED,
  pause: async () => {},
  taken: async () => {},
  misconfigured: async () => 'account',
  refused: async () => ({ proven: false, streak: undefined }),
  sized: async () => {},
};

/** A gate's refusal, with nothing else to it. */
export const REFUSED = {
  granted: false,
  retryInMs: 1_000,
  isolatingOnly: false,
  importsOnly: false,
  streak: undefined,
  pacedMs: undefined,
} as const satisfies Permit;

/** Everything around a pass, played: all is granted and taken, and nobody listens. */
export function quietPorts(): Omit<RelayPassPorts, 'storage' | 'now'> {
  return {
    gate: OPEN,
    upstream: async () => answerOf(200),
    evidence: noEvidence(),
    lingerMs: 1_000,
    msPerRecord: 0,
    dueTimes: dueTimes(),
    lanes: laneCredits(FLOORS),
    // A turn of the event loop, so that a pass that waits for ever hangs its own test alone.
    sleep: () => new Promise((resolve) => setTimeout(resolve, 0)),
    random: () => 0.5,
    newRequestId: () => crypto.randomUUID().replaceAll('-', ''),
    fullBatch: () => new Promise(() => {}),
    maxSubrequests: 10_000,
    logFailedCall: () => {},
    logUnfamiliar: () => {},
    logFault: () => {},
  };
}

/** One relay pass at a moment of the test's choice. */
export function passAt(
  stub: DurableObjectStub<Outbox>,
  upstream: Upstream,
  now: number,
  ports: Partial<RelayPassPorts> = {},
): Promise<PassEnd> {
  return runInDurableObject(stub, (_, { storage }) =>
    relayPasses({ ...quietPorts(), storage, upstream: upstream.answer, now: () => now, ...ports })(),
  );
}

/** All dead letters, oldest first. */
export async function deadLettersOf(stub: DurableObjectStub<Outbox>): Promise<readonly DeadLetter[]> {
  return (await stub.deadLetters(0, 100_000)).deadLetters;
}

/** The ids of the records, call by call. */
export function sentIds({ calls }: Upstream): string[][] {
  return calls.map(({ records }) => records.map(({ id }) => id));
}

export function delivery(device: string, ...records: TrackerRecord[]): Delivery {
  return { device, runs: toRuns(records), refused: { rejected: 0, expired: 0 }, unverified: false };
}
