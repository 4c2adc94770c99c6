import { COUNTS } from './buffer.ts';
import { createEnds, type Listener, type TrackerEvents } from './ends.ts';
import type { AnyEvents, EventData, EventsOf } from './event-types.ts';
import { farewellOf } from './farewell.ts';
import { heldRecords } from './held.ts';
import { anonymous } from './identity.ts';
import { identityTokens } from './identity-tokens.ts';
import { createIntake } from './intake.ts';
import { keptIdentity } from './kept-identity.ts';
import { lookoutOver } from './lookout.ts';
import { type Made, makeEvent, makeUser, type Profile } from './make-record.ts';
import { nameOf, resolveOptions, type Settings, type TrackerOptions } from './options.ts';
import type { PageStorage } from './page-storage.ts';
import { browserPlatform, type Platform } from './platform.ts';
import { randomId, randomUuid } from './random-id.ts';
import { type RetryReason, relayClient, relayRequests } from './relay-client.ts';
import { safetyNet } from './safety-net.ts';
import { startSending } from './sending.ts';
import { pageSpill } from './spill.ts';
import { statsOf, type TrackerStats } from './stats.ts';
import { createSteps, type Properties, type Step, type TrackerCall } from './steps.ts';
import { typeDrift } from './type-drift.ts';
import { type VisitorsChoice, visitorsChoice } from './visitors-choice.ts';
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
  /**
   * Sends now. Resolves when what was buffered at the call is settled, or says why it is not; never rejects.
   * Where records wait for somebody who is not signed in, the reason is `no_token` and `retryInMs` is `Infinity`.
   */
  flush(): Promise<FlushResult>;
  /** How many records this browser has made for the relay, how they ended, and how many wait; of all tabs and visits. */
  stats(): Promise<TrackerStats>;
  /**
   * Stops, in all tabs, and forgets all there is: ids, buffer, counts, the database. What waited is told as `dropped`; a
   * request that is under way can't be called back. From now on calls resolve and make nothing, on later visits too: a
   * mark that says so, and no more than that, is all that stays. Resolves when the rest is gone.
   */
  optOut(): Promise<void>;
  /** Begins again, as a browser that is not known, where the visitor has opted out. Resolves when it has begun. */
  optIn(): Promise<void>;
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

/** The tracker of a visitor who is in. Once that visitor has opted out it sends and keeps nothing, whatever calls it. */
type RunningTracker = Pick<Tracker, 'reset' | 'flush' | 'stats'> & {
  /** Makes a record of a call that was made at a moment; resolves once it is durable. */
  readonly take: (call: TrackerCall, at: number) => Promise<void>;
  /** Opts the visitor out, and forgets everything. */
  readonly stop: () => Promise<void>;
};

/**
 * The tracker on a platform of the caller's choice. `madeAt` is for calls made before the script had loaded.
 *
 * @param waits until the first call nothing is looked at, sent or kept
 */
export function startTracker(
  settings: Settings,
  platform: Platform,
  waits = false,
): Tracker & { readonly madeAt: (now: () => number) => Pick<Tracker, 'identify' | 'track'> } {
  const ends = createEnds(platform.report);
  const name = nameOf(settings.endpoint);
  const choice = visitorsChoice(platform.pageStorage, name);
  const running = choice.whileIn((choices) => {
    const isIn = () => choice.now() === choices;
    // What is not there any more can't be written down again.
    const pageStorage: PageStorage = {
      ...platform.pageStorage,
      set: (key, value) => isIn() && platform.pageStorage.set(key, value),
    };
    return runTracker(settings, { ...platform, pageStorage }, ends, choice, choices, isIn);
  });
  // One that was left in the middle of forgetting has not forgotten everything.
  if (!waits && !running()) {
    removeKept(platform.pageStorage, name);
    void platform.removeStorage(name);
  }
  let stopping: Promise<void> | undefined;
  let outs = 0;

  const { use, through } = createSteps(platform.report);
  const madeAt = (now: () => number): Pick<Tracker, 'identify' | 'track'> => {
    async function take(asked: TrackerCall): Promise<void> {
      const tracker = running();
      const call = tracker && through(asked);
      if (call) await tracker.take(call, now());
    }
    return {
      identify: (userId, profile) => take({ kind: 'user', userId, profile }),
      track: (eventName, eventData?: Properties) => take({ kind: 'event', eventName, eventData }),
    };
  };
  return {
    ...madeAt(platform.time.now),
    madeAt,
    reset: () => running()?.reset(),
    flush: async () => (await running()?.flush()) ?? { settled: true },
    stats: async () => (await running()?.stats()) ?? statsOf(undefined),
    optOut: async () => {
      outs++;
      stopping = running()?.stop() ?? stopping;
      return stopping;
    },
    optIn: async () => {
      const outsBefore = outs;
      // What begins anew must not be forgotten with the rest.
      await stopping;
      if (running()) return;
      const out = choice.now();
      const begin = () => {
        // Of several wishes the latest counts.
        if (outs === outsBefore) choice.set(out + 1);
        running();
      };
      if (!choice.isKept()) return begin();
      // Another tab may be about to forget the rest; or is gone, and has not.
      const isOut = () => choice.now() === out;
      const storage = platform.storage(name, () => {}, isOut);
      const exclusive = platform.exclusive(name, storage, randomId(platform.chance.bytes));
      await exclusive(async () => {
        if (!isOut()) return;
        removeKept(platform.pageStorage, name);
        await storage.clear();
        if (isOut()) begin();
      }).catch(() => {});
    },
    on: ends.on,
    use,
  };
}

/** Removes what pages have written down, but for the visitor's choice. */
function removeKept(pageStorage: PageStorage, name: string): void {
  for (const key of pageStorage.keys())
    if (key === name || key.startsWith(`${name}#`) || key === `${name}?pause`) pageStorage.remove(key);
}

function runTracker(
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
  { tell, on }: ReturnType<typeof createEnds>,
  choice: VisitorsChoice,
  choices: number,
  isIn: () => boolean,
): RunningTracker {
  const { endpoint } = settings;
  const name = nameOf(endpoint);
  let isDurable = true;
  const storage = openStorage(
    name,
    (why) => {
      isDurable = false;
      // Not at once: it may come while the storage is opened, before the page could listen.
      queueMicrotask(() => isIn() && tell('degraded', { reason: String(why) }));
    },
    isIn,
  );
  const newUuid = () => randomUuid(bytes);
  const session = randomId(bytes);
  let seq = 0;

  const spill = pageSpill(pageStorage, name, session);
  const first = anonymous(newUuid(), newUuid());
  const identity = keptIdentity(storage, pageStorage, name, first);
  const shown = platform.shown();
  const identityRead = shown.then(identity.read);

  const held = heldRecords(identity.now() === first, () => isDurable);
  const tokens = identityTokens(
    settings.identityToken,
    () => (isIn() ? identity.now().userId : undefined),
    () => {
      farewell.changed();
      if (lookout.moreMayGo()) void sending.now();
    },
    tell,
    time,
    random,
  );
  const lookout = lookoutOver(storage, tokens, held, settings.maxAgeMs, time.now);
  const request = relayRequests(endpoint, () => identity.now().device, time.now, tokens.ofBatch);
  const farewell = farewellOf({
    ...time,
    held,
    settings,
    tokens,
    lookout,
    client: relayClient(request, fetch, time),
    net: safetyNet(fetchLater, request, time.timer),
    spill,
    pageStorage,
    name,
    isIn,
    askForSync: settings.backgroundSync ? platform.askForSync(name) : () => {},
  });

  const exclusive = platform.exclusive(name, storage, session);
  const sending = startSending({
    ...time,
    storage,
    settings,
    farewell,
    held,
    tokens,
    lookout,
    tell,
    random,
    isIn,
    exclusive,
    ready: () => shown.then(() => (isIn() ? identity.read() : undefined)),
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
        // Theirs are asked for by now, and not when it is due: a page that is left can't wait for a token.
        records.forEach(lookout.mayGo);
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

  on('retrying', ({ reason, inMs }) => {
    // Of one user's token, which hinders nobody else.
    if (reason === 'no_token' && settings.identityToken) return;
    farewell.paused({ since: time.now(), forMs: inMs, reason });
  });

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
    online: () => {
      tokens.retry();
      void sending.online();
    },
  });
  // What earlier pages left; what this page has to say by now waits for the rest of it.
  const startedAt = time.now();
  void identityRead.then(() => {
    isCold = false;
    return sending.now(startedAt - 1);
  });

  return {
    stats: async () => {
      await intake.written();
      return statsOf(await storage.get(COUNTS));
    },
    take: async (call, at) =>
      keep(
        call.kind === 'user'
          ? makeUser(call.userId, call.profile, at, settings.strict)
          : makeEvent(call.eventName, call.eventData, at, settings.strict),
      ),
    reset: () => void intake.add({ reset: newUuid() }),
    flush: async () => {
      await intake.written();
      const dueBefore = time.now();
      while (true) {
        const end = await sending.now(dueBefore);
        if (!isIn()) return { settled: true };
        // A record from the future was made before the clock was set back.
        const isLater = (at: number) => at > dueBefore && at <= time.now();
        if (end.step === 'rest' || isLater(end.oldestAt)) {
          if (lookout.oldestAt() === Number.POSITIVE_INFINITY || isLater(lookout.oldestAt()))
            return { settled: true };
          await tokens.asked();
          if (lookout.moreMayGo()) continue;
          return { settled: false, reason: 'no_token', retryInMs: tokens.retryInMs() };
        }
        if (end.reason !== 'tokens') return { settled: false, reason: end.reason, retryInMs: end.forMs };
        await new Promise<void>((resolve) => void time.timer(resolve, end.forMs));
      }
    },
    stop: async () => {
      const mark = () => choice.set(choices + 1);
      // Not once another tab has begun anew: what is there by then is not ours.
      const isLast = () => choice.now() === choices + 1;
      mark();
      // Takes back what was left with the browser; nothing is sent or kept any more.
      farewell.leave();
      await intake.written();
      await exclusive(async () => {
        if (!isLast()) return;
        await sending.dropAll('opted_out');
        if (!isLast()) return;
        removeKept(pageStorage, name);
        // It may have had no room before.
        mark();
        await storage.clear();
        // The connection may be lost, and no other is made for one who is out.
        if (isLast()) await platform.removeStorage(name);
      }).catch(() => {}); // Stolen from, it goes on by itself.
    },
  };
}
