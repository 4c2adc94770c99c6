import type { AddOn } from '../add-ons/add-on.ts';
import { flusher } from '../delivery/flush.ts';
import { type FlushSchedule, flushSchedule } from '../delivery/flush-schedule.ts';
import { relayClient, relayRequests } from '../delivery/relay-client.ts';
import { endNetworkPause, type Pause, SEND_RATE } from '../delivery/send-rate.ts';
import { allSendable, type Sendable } from '../delivery/sendable.ts';
import { recordsSetAside } from '../delivery/set-aside.ts';
import { nameOf, type Settings } from '../options.ts';
import type { Platform } from '../platform/platform.ts';
import type { Call, Entry } from '../record/call.ts';
import { randomUuid } from '../record/random-id.ts';
import { isOut, readVisitor, type Visitor } from '../record/visitor.ts';
import { COUNTS, REPORTED, type RecordStore, VISITOR } from '../store/record-store.ts';
import { statsOf } from '../store/stats.ts';
import { fetchLaterNet } from '../unload/fetch-later.ts';
import { pageSpill } from '../unload/spill.ts';
import { createUnloadFlush, type UnloadFlush } from '../unload/unload-flush.ts';
import { unsettledRecords } from '../unload/unsettled.ts';
import type { Choice } from './choice.ts';
import type { Clock } from './clock.ts';
import type { Emitter } from './events.ts';
import { keptKeys, mustForget, type VisitorState, visitorState } from './visitor-state.ts';
import { createWriter, type Writer } from './writer.ts';

/** The parts of a tracker that keep and send, put together. */
export type Parts = {
  readonly store: RecordStore;
  readonly isDurable: () => boolean;
  readonly visitor: VisitorState;
  readonly writer: Writer;
  readonly unload: UnloadFlush;
  readonly sendable: Sendable;
  readonly schedule: FlushSchedule;
  /** Sends at once what waited for a network. */
  readonly online: () => Promise<unknown>;
  /** Tells of calls that the visitor's choice has let go. */
  readonly dropped: (calls: readonly Call[]) => void;
};

export type PartsOf = {
  readonly settings: Settings;
  readonly platform: Platform;
  readonly emitter: Emitter;
  readonly addOn: AddOn;
  readonly session: string;
  readonly clock: Clock;
  readonly choice: Choice;
  /** The calls that are not durable yet. */
  readonly pending: () => readonly Call[];
  /** Resolves once records may be sent, and the visitor is known. */
  readonly ready: () => Promise<unknown>;
};

// The relay's clock is told to the database where it has moved by more than that: the way of an answer takes as long.
const MIN_OFFSET_CHANGE_MS = 1_000;

export function assemble(of: PartsOf): Parts {
  const { settings, platform, emitter, addOn, session, clock, choice, pending, ready } = of;
  const { time, chance, pageStorage } = platform;
  const { emit, on } = emitter;
  const name = nameOf(settings.endpoint);
  let isDurable = true;
  let pause: Pause | undefined;
  let fresh: Pick<Visitor, 'choices' | 'device' | 'anonymousId'> | undefined;
  let askForSync = () => {};
  if (settings.backgroundSync)
    void ready().then(() => {
      askForSync = platform.askForSync(name);
    });

  const store = platform.store(name, (why) => {
    isDurable = false;
    emit('degraded', { reason: `${why}` });
  });
  const unsettled = unsettledRecords();
  // Records of before a choice are none of the visitor's, whoever has removed them.
  const visitor = visitorState(pageStorage, name, choice, unsettled.clear);
  const spill = pageSpill(pageStorage, name, session);
  const setAside = recordsSetAside();
  const sendablePorts = {
    store,
    unsettled,
    setAside,
    time,
    clock,
    random: chance.random,
    emit,
    maxAgeMs: settings.maxAgeMs,
    signedIn: () => (visitor.isIn() ? visitor.now().userId : undefined),
    changed: (sendsNow: boolean) => {
      unload.changed();
      if (sendsNow) void schedule.now();
    },
  };
  const sendable = addOn.sendable?.(sendablePorts) ?? allSendable(sendablePorts);
  const request = relayRequests({
    endpoint: settings.endpoint,
    device: () => visitor.now().device,
    token: sendable.token,
    clock,
    time,
  });

  /** Tells of calls that the visitor's choice has let go. */
  function dropped(calls: readonly Call[]): void {
    const ids = calls.filter(({ kind }) => kind !== 'reset').map(({ id }) => id);
    if (ids.length > 0) emit('dropped', { ids, reason: 'opted_out' });
  }

  const writer = createWriter({
    store,
    spill,
    visitor,
    choice,
    clock,
    settings,
    // The same at each attempt: one that has failed may have been written all the same.
    fresh: (choices) => {
      if (choices !== fresh?.choices)
        fresh = { choices, device: randomUuid(chance.bytes), anonymousId: randomUuid(chance.bytes) };
      return { device: fresh.device, anonymousId: fresh.anonymousId };
    },
    appended: ({ entries, waiting, cleared, visitor: next }, calls) => {
      dropped(cleared);
      if (isOut(next)) {
        for (const key of keptKeys(pageStorage, name)) pageStorage.remove(key);
        // What lies in a database that was out of reach the next page has to forget.
        if (!isDurable) mustForget(pageStorage, name);
        // It may have had no room before.
        choice.set(next.choices);
      }
      dropped(calls.filter(({ choices }) => isOut(next) || (choices ?? next.choices) < next.choices));
      unsettled.stored(entries, waiting);
      // A page that is left can't wait for a token: it is asked for now.
      entries.forEach(sendable.maySend);
      unload.changed();
      if (waiting > settings.maxRecords) void exclusive(dropOldest);
      if (entries.length > 0) schedule.appended(waiting - unsettled.skipped());
    },
  });

  /** What may leave as the page is left, of this page's own records and of those the buffer begins with. */
  function sendableOnUnload(all: boolean): readonly Entry[] {
    // Nor what was made before a choice that this page has not read yet.
    if (!visitor.isCurrent()) return [];
    const isWhole = all || unsettled.isComplete();
    const known = all ? unsettled.all() : unsettled.head();
    // Without a database what is written down may become records of another device: it must not have been sent.
    const calls =
      isWhole && (isDurable || all) && visitor.isFresh(all)
        ? writer.preview([...writer.left(), ...pending()])
        : [];
    return sendable.together(
      [...known, ...calls].filter((entry) => !setAside.has(entry)),
      true,
    );
  }
  const unload = createUnloadFlush({
    client: relayClient(request, platform.fetch, clock, time),
    net: fetchLaterNet(platform.fetchLater, request, time.timer),
    spill,
    unsaved: () => {
      const device = visitor.isCurrent() ? visitor.now().device : undefined;
      const calls = [...writer.left(), ...(isDurable ? [] : unsettled.all()), ...pending()];
      return calls.map((call) => ({ device, ...call }));
    },
    sendable: sendableOnUnload,
    pause: () => pause,
    hasTokens: sendable.hasTokens,
    now: clock.now,
    isIn: visitor.isIn,
    askForSync: () => askForSync(),
  });

  const exclusive = platform.exclusive(name);
  const { flush, conclude, drop } = flusher({
    store,
    relay: async (...batch) => {
      const outcome = await unload.relay(...batch);
      const offset = clock.offset();
      const before = visitor.now().clockOffset;
      if (offset !== undefined && !(Math.abs(offset - (before ?? Number.NaN)) < MIN_OFFSET_CHANGE_MS))
        await keepOffset(offset);
      return outcome;
    },
    exclusive,
    settings,
    emit,
    clock,
    time,
    random: chance.random,
    sendable,
    setAside,
    isIn: async () => {
      const kept = readVisitor(await store.get(VISITOR));
      if (kept.device || isOut(kept)) visitor.confirm(kept);
      return visitor.isIn();
    },
  });

  async function keepOffset(clockOffset: number): Promise<void> {
    const changed = await store.update(VISITOR, (kept) => ({ ...readVisitor(kept), clockOffset }));
    if (changed.device) visitor.confirm(changed);
  }
  async function dropOldest(): Promise<void> {
    const over = statsOf(await store.get(COUNTS)).buffered - settings.maxRecords;
    if (over > 0) await drop(await store.peek(over), 'over_max_records');
  }

  const schedule = flushSchedule(
    async (dueBefore = time.mono()) => {
      await ready();
      await exclusive(async () => {
        for (const [batch, outcome] of unload.sent()) {
          const end = await outcome;
          const left = unsettled.among(batch);
          // A batch that the relay refuses is found again, and halved.
          if (end.kind !== 'refused' && left.length > 0) await conclude(left, end, 0);
        }
      });
      const end = await flush(dueBefore);
      unload.changed();
      return end;
    },
    time.timer,
    settings,
  );

  const forgetReported = () => void store.update(REPORTED, () => []);
  on('delivered', ({ ids }) => unsettled.forget(ids));
  on('rejected', ({ id }) => {
    unsettled.forget([id]);
    forgetReported();
  });
  on('dropped', ({ ids, reason }) => {
    unsettled.forget(ids);
    if (reason !== 'opted_out') forgetReported();
  });
  on('retrying', ({ reason, inMs }) => {
    // One user's token hinders nobody else.
    if (reason === 'token_required' && sendable.hasTokens) return;
    pause = { since: clock.now(), forMs: inMs, reason };
    if (reason === 'network') askForSync();
  });

  return {
    store,
    isDurable: () => isDurable,
    visitor,
    writer,
    unload,
    sendable,
    schedule,
    online: () => {
      sendable.retry?.();
      return store.update(SEND_RATE, endNetworkPause).then(() => schedule.now());
    },
    dropped,
  };
}
