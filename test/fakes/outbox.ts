import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { TrackerRecord } from '../../src/contract/record.ts';
import { type Delivery, ingest, type Receipt } from '../../src/edge/ingest.ts';
import type { Outbox } from '../../src/edge/outbox.ts';
import type { Permit } from '../../src/edge/rate-gate.ts';
import { type PassEnd, type RelayPassPorts, relayPass } from '../../src/edge/relay-pass.ts';
import type { CallOutcome, UpstreamCall } from '../../src/edge/webengage.ts';
import type { Env } from '../../src/edge/worker.ts';

export const relayEnv = env as unknown as Env;

let made = 0;

/** An outbox of its own, so that tests do not see each other's. Its alarms are run by hand. */
export function newOutbox(): DurableObjectStub<Outbox> {
  made += 1;
  return relayEnv.OUTBOX.getByName(`test ${made} ${crypto.randomUUID()}`);
}

/** Stores a delivery at a moment of the test's choice, and leaves no alarm behind. */
export function ingestAt(stub: DurableObjectStub<Outbox>, delivery: Delivery, now: number): Promise<Receipt> {
  return runInDurableObject(stub, async (_, { storage }) => {
    const receipt = ingest(storage, delivery, { alarmAt: null, lingerMs: 1_000, heldUntil: 0 }, now);
    await storage.deleteAlarm();
    return receipt;
  });
}

export type Upstream = {
  readonly calls: UpstreamCall[];
  readonly answer: (call: UpstreamCall) => Promise<CallOutcome>;
};

/** WebEngage as a script: what it is not told, it takes. */
export function scriptedUpstream(...script: (CallOutcome | Error)[]): Upstream {
  const calls: UpstreamCall[] = [];
  return {
    calls,
    answer: async (call) => {
      calls.push(call);
      const outcome = script.shift() ?? { kind: 'delivered' };
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  };
}

/** One relay pass at a moment of the test's choice, with everything around it played. */
export function passAt(
  stub: DurableObjectStub<Outbox>,
  upstream: Upstream,
  now: number,
  ports: Partial<RelayPassPorts> = {},
): Promise<PassEnd> {
  const granted: Permit = { granted: true, startInMs: 0 };
  return runInDurableObject(stub, (_, { storage }) =>
    relayPass({
      storage,
      gate: { take: async () => granted, pause: async () => {} },
      upstream: upstream.answer,
      lingerMs: 1_000,
      now: () => now,
      sleep: async () => {},
      random: () => 0.5,
      newRequestId: () => crypto.randomUUID().replaceAll('-', ''),
      tellFailed: () => {},
      ...ports,
    }),
  );
}

/** The ids of the records, call by call. */
export function sentIds({ calls }: Upstream): string[][] {
  return calls.map(({ records }) => records.map(({ id }) => id));
}

export function delivery(device: string, ...records: TrackerRecord[]): Delivery {
  return { device, records };
}
