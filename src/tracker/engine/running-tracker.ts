import type { VisitorsChoice } from '../consent/choice.ts';
import { startSending } from '../delivery/delivery.ts';
import { identityTokens } from '../delivery/identity-tokens.ts';
import { relayClient, relayRequests } from '../delivery/relay-client.ts';
import { lookoutOver } from '../delivery/sendable.ts';
import { nameOf, type Settings } from '../options.ts';
import type { PageStorage } from '../platform/local-storage.ts';
import type { Made } from '../record/make-record.ts';
import { randomId, randomUuid } from '../record/random-id.ts';
import { typeDrift } from '../record/type-drift.ts';
import { anonymous } from '../record/visitor.ts';
import { COUNTS } from '../store/record-store.ts';
import { statsOf } from '../store/stats.ts';
import { keptIdentity } from '../store/visitor-store.ts';
import type { Tracker } from '../tracker.ts';
import { safetyNet } from '../unload/fetch-later.ts';
import { pageSpill } from '../unload/spill.ts';
import { farewellOf } from '../unload/unload-flush.ts';
import { heldRecords } from '../unload/unsettled.ts';
import { type Call, writeUp } from './assign-visitor.ts';
import type { createEnds } from './events.ts';
import type { Platform } from './platform.ts';
import { createIntake } from './write-queue.ts';

// As long as it takes a page to run its listeners.
const LEAVING_MS = 100;

/** The tracker of a visitor who is in. Once that visitor has opted out it sends and keeps nothing, whatever calls it. */
export type RunningTracker = Pick<Tracker, 'reset' | 'flush' | 'stats'> & {
  /** Makes a record of a call; resolves once it is durable. */
  readonly take: (call: Made) => Promise<void>;
  /** Opts the visitor out, and forgets everything. */
  readonly stop: () => Promise<void>;
};

/** Under which keys pages have written something down, but for the visitor's choice. */
export function keptKeys(pageStorage: PageStorage, name: string): readonly string[] {
  return pageStorage
    .keys()
    .filter((key) => key === name || key.startsWith(`${name}#`) || key === `${name}?pause`);
}

/** Removes what pages have written down, but for the visitor's choice. */
export function removeKept(pageStorage: PageStorage, name: string): void {
  for (const key of keptKeys(pageStorage, name)) pageStorage.remove(key);
}

/** The wiring: a call becomes a durable record; records leave in batches. */
export function runTracker(
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
  function take({ at, fields, repairs }: Made): Promise<void> {
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
    take,
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
