import { createEnds, type Listener, type TrackerEvents } from './ends.ts';
import { farewellSend } from './farewell.ts';
import { drop, endNetworkPause, flush, PACE, settle } from './flush.ts';
import { flushSchedule } from './flush-schedule.ts';
import { createIntake } from './intake.ts';
import { keptIdentity } from './kept-identity.ts';
import { type Made, makeEvent, makeUser, type Profile } from './make-record.ts';
import { resolveOptions, type Settings, type TrackerOptions } from './options.ts';
import { browserPlatform, type Platform } from './platform.ts';
import { randomId, randomUuid } from './random-id.ts';
import { type RetryReason, relayClient } from './relay-client.ts';
import { typeDrift } from './type-drift.ts';
import { type Call, writeUp } from './write-up.ts';

/** Event names and their properties, for `createTracker<ShopEvents>()`. */
export type AnyEvents = { readonly [eventName: string]: object | undefined };

export type FlushResult =
  | { readonly settled: true }
  /** The records are kept, and sent when the time has come. */
  | { readonly settled: false; readonly reason: RetryReason; readonly retryInMs: number };

export type Tracker<Events extends object = AnyEvents> = {
  /**
   * Says who the visitor is, from now on, and what is known of them.
   * Resolves once the record is durable; rejects with a `RecordError` where the contract refuses it as a whole.
   */
  identify(userId: string, profile?: Profile): Promise<void>;
  /**
   * Says that something happened, now.
   * Resolves once the record is durable; rejects with a `RecordError` where the contract refuses it as a whole.
   */
  track<Name extends keyof Events & string>(
    eventName: Name,
    ...eventData: undefined extends Events[Name] ? [eventData?: Events[Name]] : [eventData: Events[Name]]
  ): Promise<void>;
  /** Logs out: a new anonymous visitor, as far as WebEngage can tell. */
  reset(): void;
  /** Sends now. Resolves when what was buffered at the call is settled, or says why it is not; never rejects. */
  flush(): Promise<FlushResult>;
  /** Listens to what becomes of records; answers with what ends it. */
  on<Name extends keyof TrackerEvents>(name: Name, listener: Listener<Name>): () => void;
};

/**
 * A tracker for one relay. Make one a page and keep it; several for one endpoint share one buffer.
 * Throws a `RangeError` for an impossible option.
 */
export function createTracker<Events extends object = AnyEvents>(options: TrackerOptions): Tracker<Events> {
  return startTracker(resolveOptions(options), browserPlatform());
}

/** The tracker on a platform of the caller's choice. `madeAt` is for calls made before the script had loaded. */
export function startTracker(
  settings: Settings,
  { time, chance, fetch, storage: openStorage, exclusive, watchPage, report }: Platform,
): Tracker & { readonly madeAt: (at: number) => Pick<Tracker, 'identify' | 'track'> } {
  const name = `webengage-relay:${settings.endpoint}`;
  const { tell, on } = createEnds(report);
  // Not at once: it may come while the storage is opened, before the page could listen.
  const storage = openStorage(name, (why) => queueMicrotask(() => tell('degraded', { reason: String(why) })));
  const newUuid = () => randomUuid(chance.bytes);

  // One for all tabs, and made once: two tabs that start together must not make two.
  const device = storage.state.update('device', (kept) => (kept as string | undefined) ?? newUuid());
  const identity = keptIdentity(storage.state, newUuid);
  const identityRead = identity.read();
  const session = randomId(chance.bytes);
  let seq = 0;

  const limits = {
    ...settings,
    bucket: { capacity: settings.burst, refillPerMinute: settings.requestsPerMinute },
  };
  const relay = relayClient({ endpoint: settings.endpoint, device: () => device, fetch, now: time.now });
  const flushPorts = { storage, relay, tell, now: time.now, random: chance.random };
  const oneAtATime = exclusive(name);
  const farewell = farewellSend(relay, (batch, outcome) => settle(flushPorts, batch, outcome));
  const schedule = flushSchedule(
    (dueBefore) =>
      oneAtATime(async () => {
        await identity.read();
        await farewell.settle();
        return flush(flushPorts, limits, dueBefore ?? time.now());
      }),
    time.timer,
    settings,
  );

  const intake = createIntake<Call>(identityRead, async (calls) => {
    const { entries, identity: next } = writeUp(
      identity.now(),
      calls,
      settings.skipRepeatedIdentify,
      () => `${session}.${++seq}`,
    );
    identity.set(next);
    if (entries.length === 0) return;
    const { records, waiting } = await storage.buffer.append(entries);
    farewell.add(records, waiting);
    if (waiting > settings.maxRecords) void oneAtATime(dropOldest);
    schedule.appended(waiting);
  });

  // Never beside a flush: what it has in hand would be told as dropped, and as delivered too.
  async function dropOldest(): Promise<void> {
    const { waiting } = await storage.buffer.append([]);
    const over = waiting - settings.maxRecords;
    if (over > 0) await drop(flushPorts, await storage.buffer.peek(over), 'over_max_records');
  }

  const drift = typeDrift();
  function keep(record: string, field: 'attributes' | 'eventData', { draft, repairs }: Made): Promise<void> {
    const attributes = draft.fields.kind === 'user' ? draft.fields.attributes : draft.fields.eventData;
    for (const repair of [...repairs, ...drift(record, field, attributes)])
      tell('repaired', { ...repair, record });
    return intake.add(draft);
  }

  on('delivered', ({ ids }) => farewell.forget(ids));
  on('rejected', ({ id }) => {
    farewell.forget([id]);
    identity.forgetTold();
  });
  on('dropped', ({ ids }) => {
    farewell.forget(ids);
    identity.forgetTold();
  });

  watchPage({
    hidden: () => {
      if (!schedule.mustWait()) farewell.send();
    },
    visible: () => void schedule.now(),
    online: () => void storage.state.update(PACE, endNetworkPause).then(() => schedule.now()),
  });
  // What earlier pages left; what this page has to say by now waits for the rest of it.
  const startedAt = time.now();
  void identityRead.then(() => schedule.now(startedAt - 1));

  const madeAt = (at: number): Pick<Tracker, 'identify' | 'track'> => ({
    identify: async (userId, profile) =>
      keep('identify', 'attributes', makeUser(userId, profile, at, settings.strict)),
    track: async (eventName, eventData?: object) =>
      keep(eventName, 'eventData', makeEvent(eventName, eventData, at, settings.strict)),
  });

  return {
    identify: (...call) => madeAt(time.now()).identify(...call),
    track: (...call) => madeAt(time.now()).track(...call),
    reset: () => void intake.add({ reset: newUuid() }),
    flush: async () => {
      await intake.written();
      const dueBefore = time.now();
      while (true) {
        const end = await schedule.now(dueBefore);
        if (end.step === 'rest' || end.oldestAt > dueBefore) return { settled: true };
        if (end.reason !== 'tokens') return { settled: false, reason: end.reason, retryInMs: end.forMs };
        await new Promise<void>((resolve) => void time.timer(resolve, end.forMs));
      }
    },
    on,
    madeAt,
  };
}
