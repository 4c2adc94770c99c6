import { COUNTS, type Entry } from './buffer.ts';
import { createEnds, type Listener, type TrackerEvents } from './ends.ts';
import { farewellSend } from './farewell.ts';
import { conclude, drop, endNetworkPause, flusher, PACE } from './flush.ts';
import { flushSchedule } from './flush-schedule.ts';
import { heldRecords } from './held.ts';
import { anonymous } from './identity.ts';
import { createIntake } from './intake.ts';
import { keptIdentity } from './kept-identity.ts';
import { leavingPage } from './leaving.ts';
import { type Made, makeEvent, makeUser, type Profile } from './make-record.ts';
import { nameOf, resolveOptions, type Settings, type TrackerOptions } from './options.ts';
import { browserPlatform, type Platform } from './platform.ts';
import { randomId, randomUuid } from './random-id.ts';
import { type Outcome, type RetryReason, relayClient, relayRequest } from './relay-client.ts';
import { safetyNet } from './safety-net.ts';
import { pageSpill } from './spill.ts';
import { statsOf, type TrackerStats } from './stats.ts';
import { typeDrift } from './type-drift.ts';
import { type Call, writeUp } from './write-up.ts';

// As long as it takes a page to run its listeners.
const LEAVING_MS = 100;

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
  /** How many records this browser has made for the relay, how they ended, and how many wait; of all tabs and visits. */
  stats(): Promise<TrackerStats>;
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
  { time, chance, fetch, fetchLater, storage: openStorage, pageStorage, ...platform }: Platform,
): Tracker & { readonly madeAt: (at: number) => Pick<Tracker, 'identify' | 'track'> } {
  const { endpoint } = settings;
  const name = nameOf(endpoint);
  const { tell, on } = createEnds(platform.report);
  // Not at once: it may come while the storage is opened, before the page could listen.
  const storage = openStorage(name, (why) => queueMicrotask(() => tell('degraded', { reason: String(why) })));
  const newUuid = () => randomUuid(chance.bytes);
  const session = randomId(chance.bytes);
  let seq = 0;

  const spill = pageSpill(pageStorage, name, session);
  const first = anonymous(newUuid(), newUuid());
  const identity = keptIdentity(storage.state, pageStorage, name, first);
  const shown = platform.shown();
  const identityRead = shown.then(identity.read);

  const held = heldRecords(identity.now() === first);
  const device = () => identity.now().device;
  const farewell = farewellSend(
    held,
    relayClient({ endpoint, device, fetch, ...time }),
    safetyNet(fetchLater, (batch) => relayRequest(endpoint, batch, device(), time.now()), time.timer),
  );
  const page = leavingPage({
    held,
    farewell,
    spill,
    pageStorage,
    name,
    isDurable: storage.isDurable,
    now: time.now,
    askForSync: settings.backgroundSync ? platform.askForSync(name) : () => {},
  });

  const oneAtATime = platform.exclusive(name, storage.state, session);
  const flushPorts = {
    storage,
    relay: farewell.relay,
    exclusive: oneAtATime,
    limits: {
      ...settings,
      bucket: { capacity: settings.burst, refillPerMinute: settings.requestsPerMinute },
    },
    tell,
    now: time.now,
    random: chance.random,
    found: held.found,
  };
  const flush = flusher(flushPorts);
  const schedule = flushSchedule(
    async (dueBefore) => {
      await shown;
      await identity.read();
      await oneAtATime(async () => {
        for (const { batch, outcome } of farewell.sent()) await concludeSent(batch, await outcome);
      });
      const end = await flush(dueBefore ?? time.now());
      page.changed();
      return end;
    },
    time.timer,
    settings,
  );

  async function concludeSent(batch: readonly Entry[], outcome: Outcome): Promise<void> {
    const left = held.buffered(batch);
    // A batch that the relay refuses is found again, and halved.
    if (outcome.kind !== 'refused' && left.length > 0) await conclude(flushPorts, left, outcome, 0);
  }

  const intake = createIntake<Call>(
    {
      ready: identityRead,
      writeUp: (calls) => {
        const { entries, identity: next } = writeUp(
          identity.now(),
          calls,
          settings.skipRepeatedIdentify,
          () => `${session}.${++seq}`,
        );
        identity.set(next);
        held.coming(entries);
        return entries;
      },
      append: async (entries) => {
        if (entries.length > 0) {
          const { records, waiting } = await storage.buffer.append(entries);
          held.add(records, waiting);
          page.changed();
          if (waiting > settings.maxRecords) oneAtATime(dropOldest).catch(() => {}); // Stolen from: the next append sees to it.
          schedule.appended(waiting);
        }
        // After the records: what was told of a visitor must not be known as told before the record of it is safe.
        void identity.save();
      },
    },
    spill.left,
  );
  held.coming(spill.left);

  // Never beside a flush: what it has in hand would be told as dropped, and as delivered too.
  async function dropOldest(): Promise<void> {
    const { buffered } = statsOf(await storage.state.get(COUNTS));
    const over = buffered - settings.maxRecords;
    if (over > 0) await drop(flushPorts, await storage.buffer.peek(over), 'over_max_records');
  }

  const drift = typeDrift();
  function keep(record: string, field: 'attributes' | 'eventData', { draft, repairs }: Made): Promise<void> {
    const attributes = draft.fields.kind === 'user' ? draft.fields.attributes : draft.fields.eventData;
    for (const repair of [...repairs, ...drift(record, field, attributes)])
      tell('repaired', { ...repair, record });
    if (isLeaving() && !isAboutToLeave) {
      isAboutToLeave = true;
      queueMicrotask(leave);
    }
    return intake.add(draft);
  }

  on('delivered', ({ ids }) => held.forget(ids));
  on('rejected', ({ id }) => {
    held.forget([id]);
    identity.forgetTold();
  });
  on('dropped', ({ ids }) => {
    held.forget(ids);
    identity.forgetTold();
  });

  on('retrying', ({ reason, inMs }) => page.paused({ since: time.now(), forMs: inMs, reason }));

  // The page's own listeners come after ours: what they track is the last it has to say. By the clock, for the timers of a
  // hidden page are slow; it may be set back.
  let leftAt = 0;
  const isLeaving = () => Math.abs(time.now() - leftAt) < LEAVING_MS;
  let isAboutToLeave = false;
  function leave(): void {
    isAboutToLeave = false;
    intake.close();
    page.leave();
  }
  platform.watchPage({
    hidden: () => {
      leftAt = time.now();
      leave();
    },
    visible: () => {
      leftAt = 0;
      void schedule.now();
    },
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
    stats: async () => {
      await intake.written();
      return statsOf(await storage.state.get(COUNTS));
    },
    identify: (...call) => madeAt(time.now()).identify(...call),
    track: (...call) => madeAt(time.now()).track(...call),
    reset: () => void intake.add({ reset: newUuid() }),
    flush: async () => {
      await intake.written();
      const dueBefore = time.now();
      while (true) {
        const end = await schedule.now(dueBefore);
        // A record from the future was made before the clock was set back.
        if (end.step === 'rest' || (end.oldestAt > dueBefore && end.oldestAt <= time.now()))
          return { settled: true };
        if (end.reason !== 'tokens') return { settled: false, reason: end.reason, retryInMs: end.forMs };
        await new Promise<void>((resolve) => void time.timer(resolve, end.forMs));
      }
    },
    on,
    madeAt,
  };
}
