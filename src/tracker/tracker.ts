import { COUNTS } from './buffer.ts';
import { createEnds, type Listener, type TrackerEvents } from './ends.ts';
import type { AnyEvents, EventData, EventsOf } from './event-types.ts';
import { farewellOf } from './farewell.ts';
import { heldRecords } from './held.ts';
import { anonymous } from './identity.ts';
import { createIntake } from './intake.ts';
import { keptIdentity } from './kept-identity.ts';
import { type Made, makeEvent, makeUser, type Profile } from './make-record.ts';
import { nameOf, resolveOptions, type Settings, type TrackerOptions } from './options.ts';
import { browserPlatform, type Platform } from './platform.ts';
import { randomId, randomUuid } from './random-id.ts';
import { type RetryReason, relayClient, relayRequests } from './relay-client.ts';
import { safetyNet } from './safety-net.ts';
import { startSending } from './sending.ts';
import { pageSpill } from './spill.ts';
import { statsOf, type TrackerStats } from './stats.ts';
import { createSteps, type Properties, type Step, type TrackerCall } from './steps.ts';
import { typeDrift } from './type-drift.ts';
import { type Call, writeUp } from './write-up.ts';

// As long as it takes a page to run its listeners.
const LEAVING_MS = 100;

/** What became of a flush: all is settled, or why it is not, and when it is tried again. */
export type FlushResult =
  | { readonly settled: true }
  /** The records are kept, and sent when the time has come. */
  | { readonly settled: false; readonly reason: RetryReason; readonly retryInMs: number };

/** What a page calls. Every method stands by itself: `const { track } = tracker` is as good. */
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
    ...eventData: EventData<Events, Name>
  ): Promise<void>;
  /** Logs out: a new anonymous visitor, as far as WebEngage can tell. */
  reset(): void;
  /** Sends now. Resolves when what was buffered at the call is settled, or says why it is not; never rejects. */
  flush(): Promise<FlushResult>;
  /** How many records this browser has made for the relay, how they ended, and how many wait; of all tabs and visits. */
  stats(): Promise<TrackerStats>;
  /**
   * Has a step look at each `identify` and `track` from now on, at once, before a record is made: to add to it, to change
   * it or to refuse it. The promise of a call that is refused resolves; it counts nowhere, and signs nobody in.
   * What a step throws is reported as the page's own error, and its call goes on as it came. Answers with what ends it.
   */
  use(step: Step): () => void;
  /** Listens to what becomes of records; answers with what ends it. */
  on<Name extends keyof TrackerEvents>(name: Name, listener: Listener<Name>): () => void;
};

/**
 * A tracker for one relay. Make one a page and keep it; several for one endpoint share one buffer.
 * `Events` declares your events: `{ 'Added to Cart': { Price: number }; 'Signed Out': undefined }`.
 * Throws a `RangeError` for an impossible option.
 */
export function createTracker<Events extends EventsOf<Events> = AnyEvents>(
  options: TrackerOptions,
): Tracker<Events> {
  // It takes any event: what is declared of them narrows the calls that compile, and nothing else.
  return startTracker(resolveOptions(options), browserPlatform()) as Tracker<Events>;
}

/** The tracker on a platform of the caller's choice. `madeAt` is for calls made before the script had loaded. */
export function startTracker(
  settings: Settings,
  {
    time,
    chance: { random, bytes },
    fetch,
    fetchLater,
    storage: openStorage,
    pageStorage,
    ...platform
  }: Platform,
): Tracker & { readonly madeAt: (now: () => number) => Pick<Tracker, 'identify' | 'track'> } {
  const { endpoint } = settings;
  const name = nameOf(endpoint);
  const { tell, on } = createEnds(platform.report);
  let isDurable = true;
  const storage = openStorage(name, (why) => {
    isDurable = false;
    // Not at once: it may come while the storage is opened, before the page could listen.
    queueMicrotask(() => tell('degraded', { reason: String(why) }));
  });
  const newUuid = () => randomUuid(bytes);
  const session = randomId(bytes);
  let seq = 0;

  const spill = pageSpill(pageStorage, name, session);
  const first = anonymous(newUuid(), newUuid());
  const identity = keptIdentity(storage, pageStorage, name, first);
  const shown = platform.shown();
  const identityRead = shown.then(identity.read);

  const held = heldRecords(identity.now() === first, () => isDurable);
  const request = relayRequests(endpoint, () => identity.now().device, time.now);
  const farewell = farewellOf({
    ...time,
    held,
    client: relayClient(request, fetch, time),
    net: safetyNet(fetchLater, request, time.timer),
    spill,
    pageStorage,
    name,
    askForSync: settings.backgroundSync ? platform.askForSync(name) : () => {},
  });

  const sending = startSending({
    ...time,
    storage,
    settings,
    farewell,
    held,
    tell,
    random,
    exclusive: platform.exclusive(name, storage, session),
    ready: () => shown.then(identity.read),
  });

  const made = (calls: readonly Call[]) => writeUp(identity.now(), calls, settings.skipRepeatedIdentify);
  const intake = createIntake<Call>(
    identityRead,
    (calls) => {
      const { entries, identity: next } = made(calls);
      identity.set(next);
      held.coming(entries);
      return entries;
    },
    async (entries) => {
      if (entries.length > 0) {
        const { records, waiting } = await storage.append(entries);
        held.add(records, waiting);
        farewell.changed();
        sending.appended(waiting);
      }
      // After the records: what was told of a visitor must not be known as told before the record of it is safe.
      void identity.save();
    },
    spill.left,
  );
  held.coming(spill.left);

  const drift = typeDrift();
  function keep({ at, fields, repairs }: Made): Promise<void> {
    const record = fields.kind === 'user' ? 'identify' : fields.eventName;
    for (const repair of [...repairs, ...drift(record, fields)]) tell('repaired', { ...repair, record });
    let id: string | undefined;
    const added = intake.add({
      at,
      fields,
      id: () => {
        id ??= `${session}.${++seq}`;
        return id;
      },
    });
    if (!endsTask) queueMicrotask(taskEnd);
    endsTask = true;
    return added;
  }

  const lost = (ids: readonly string[]) => {
    held.forget(ids);
    identity.forgetTold();
  };
  on('delivered', ({ ids }) => held.forget(ids));
  on('rejected', ({ id }) => lost([id]));
  on('dropped', ({ ids }) => lost(ids));

  on('retrying', ({ reason, inMs }) => farewell.paused({ since: time.now(), forMs: inMs, reason }));

  // The page's own listeners come after ours: what they track is the last it has to say. By the clock, for the timers of a
  // hidden page are slow; it may be set back.
  let leftAt = 0;
  const isLeaving = () => Math.abs(time.now() - leftAt) < LEAVING_MS;
  function leave(): void {
    intake.close();
    farewell.leave();
  }
  // Until the database has answered nothing can be written there: what it takes a browser that is closed as a whole to
  // lose it. A page that nobody has seen yet leaves nothing.
  let isCold = false;
  void shown.then(() => {
    isCold = true;
  });
  let endsTask = false;
  function taskEnd(): void {
    endsTask = false;
    if (isLeaving()) leave();
    else if (isCold) farewell.keep(made(intake.gathered()).entries);
  }
  platform.watchPage({
    hidden: () => {
      leftAt = time.now();
      leave();
    },
    visible: () => {
      leftAt = 0;
      void sending.now();
    },
    online: () => void sending.online(),
  });
  // What earlier pages left; what this page has to say by now waits for the rest of it.
  const startedAt = time.now();
  void identityRead.then(() => {
    isCold = false;
    return sending.now(startedAt - 1);
  });

  const { use, through } = createSteps(platform.report);
  const madeAt = (now: () => number): Pick<Tracker, 'identify' | 'track'> => {
    async function take(asked: TrackerCall): Promise<void> {
      const call = through(asked);
      if (call)
        await keep(
          call.kind === 'user'
            ? makeUser(call.userId, call.profile, now(), settings.strict)
            : makeEvent(call.eventName, call.eventData, now(), settings.strict),
        );
    }
    return {
      identify: (userId, profile) => take({ kind: 'user', userId, profile }),
      track: (eventName, eventData?: Properties) => take({ kind: 'event', eventName, eventData }),
    };
  };

  return {
    stats: async () => {
      await intake.written();
      return statsOf(await storage.get(COUNTS));
    },
    ...madeAt(time.now),
    reset: () => void intake.add({ reset: newUuid() }),
    flush: async () => {
      await intake.written();
      const dueBefore = time.now();
      while (true) {
        const end = await sending.now(dueBefore);
        // A record from the future was made before the clock was set back.
        if (end.step === 'rest' || (end.oldestAt > dueBefore && end.oldestAt <= time.now()))
          return { settled: true };
        if (end.reason !== 'tokens') return { settled: false, reason: end.reason, retryInMs: end.forMs };
        await new Promise<void>((resolve) => void time.timer(resolve, end.forMs));
      }
    },
    on,
    use,
    madeAt,
  };
}
