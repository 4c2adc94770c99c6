import type { AddOn, Consent } from '../add-ons/add-on.ts';
import { nameOf, type Settings } from '../options.ts';
import type { Platform } from '../platform/platform.ts';
import type { Call } from '../record/call.ts';
import type { Captured } from '../record/capture.ts';
import type { FlushResult } from '../record/outcome.ts';
import { randomId } from '../record/random-id.ts';
import { isOut, readVisitor } from '../record/visitor.ts';
import { COUNTS, VISITOR } from '../store/record-store.ts';
import { statsOf, type TrackerStats } from '../store/stats.ts';
import { assemble } from './assemble.ts';
import { visitorsChoice } from './choice.ts';
import { createClock } from './clock.ts';
import type { Emitter } from './events.ts';
import { flushUntilSettled } from './flush-until-settled.ts';
import { createLeaving } from './leaving.ts';
import { keptKeys, mustForget } from './visitor-state.ts';
import { createWriteQueue } from './write-queue.ts';

/** When and where a call was made. */
export type CallTime = { readonly wall: number; readonly mono: number };

/** Keeps and sends the calls of a page, as far as the visitor lets it. */
export type Engine = {
  /** Whether anything becomes of a call that is made now. */
  readonly isHeard: () => boolean;
  /** Resolves once the record of a call is durable. */
  readonly add: (call: Captured | Pick<Call, 'kind' | 'json' | 'anonymousId'>, at: CallTime) => Promise<void>;
  readonly flush: () => Promise<FlushResult>;
  readonly stats: () => Promise<TrackerStats>;
  readonly optIn: () => Promise<void>;
  readonly optOut: () => Promise<void>;
};

/**
 * Before the visitor has consented nothing is opened, read, locked or sent: calls wait in memory.
 *
 * @param isPassive does nothing by itself before the first call or flush: a service worker starts for many a reason
 */
export function createEngine(
  settings: Settings,
  platform: Platform,
  emitter: Emitter,
  addOn: AddOn,
  isPassive: boolean,
): Engine {
  const { time, chance, pageStorage } = platform;
  const name = nameOf(settings.endpoint);
  const session = randomId(chance.bytes);
  const clock = createClock(time, session);
  const choice = visitorsChoice(pageStorage, name);
  // Of a page that has consent the visitor's mark says whether they are out.
  let consent: Consent = addOn.consent?.initial(platform.sendsGpc) ?? 'granted';
  const pending = addOn.consent?.pending(settings.maxRecords, ({ id }) =>
    emitter.emit('dropped', { ids: [id], reason: 'over_max_records' }),
  );
  let seq = 0;
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });

  const queue = createWriteQueue(begun.then(platform.activated), (take) => writer.append(take));
  const known = queue.touch();
  const parts = assemble({
    settings,
    platform,
    emitter,
    addOn,
    session,
    clock,
    choice,
    pending: queue.pending,
    ready: () => known,
  });
  const { visitor, writer, unload, schedule, store } = parts;
  let isStarted = false;
  let isCold = false;
  const leaving = createLeaving(unload, () => isCold, settings, time);

  const isIn = () => visitor.isIn();
  const isGranted = () => consent === 'granted';

  function start(): void {
    if (isStarted) return;
    isStarted = true;
    begin();
    void platform.activated().then(() => {
      // Until the database has answered nothing can be written there, and a browser that is killed may take it all along.
      isCold = !visitor.isConfirmed();
    });
    platform.watchPage({
      hidden: leaving.hidden,
      visible: () => {
        leaving.visible();
        void schedule.now();
      },
      online: () => void parts.online(),
    });
    // What earlier pages left; the calls of this page wait for more of them.
    const startedAt = time.mono();
    void known.then(() => {
      isCold = false;
      return schedule.now(startedAt - 1);
    });
  }

  function make(call: Call): Promise<void> {
    start();
    const written = queue.add(call);
    leaving.called();
    return written;
  }

  const hasKept = () => keptKeys(pageStorage, name).length > 0;
  // A page that was left in the middle of forgetting has not forgotten everything.
  if (consent === 'granted' && !isPassive && (isIn() || hasKept())) start();

  /** Whether a visitor who has never agreed here has agreed before, or opted out. */
  const isKnown = async () => {
    if (isStarted || choice.now() > 0 || hasKept()) return true;
    const kept = readVisitor(await store.get(VISITOR));
    return !!kept.device || isOut(kept);
  };

  return {
    isHeard: () => consent === 'pending' || (consent === 'granted' && isIn()),
    add: (captured, at) => {
      const choices = visitor.isConfirmed() ? visitor.choices() : undefined;
      const call = { ...captured, ...at, id: `${session}.${++seq}`, choices };
      return consent === 'pending' && pending ? pending.add(call) : make(call);
    },
    flush: async () => {
      if (consent === 'pending')
        return { settled: false, reason: 'no_consent', retryInMs: Number.POSITIVE_INFINITY };
      if (consent === 'denied' || !isIn()) return { settled: true };
      start();
      await queue.drained();
      return flushUntilSettled({ schedule, sendable: parts.sendable, time, isIn });
    },
    stats: async () => {
      if (consent !== 'granted' || !isIn()) return statsOf(undefined);
      start();
      await queue.drained();
      return statsOf(await store.get(COUNTS));
    },
    optIn: async () => {
      consent = 'granted';
      writer.choose(false);
      start();
      pending?.release(make);
      await queue.touch();
    },
    optOut: async () => {
      pending?.discard();
      if (consent !== 'granted') {
        consent = 'denied';
        // To a visitor who has never agreed nothing is done, not even a mark; but nothing may be left of earlier visits.
        const isKnownHere = await isKnown();
        // Said yes meanwhile: the last word counts.
        if (isGranted()) return;
        if (!isKnownHere) return void (await platform.removeStore(name));
      }
      // Makes room for the mark, where there is none.
      for (const key of keptKeys(pageStorage, name)) pageStorage.remove(key);
      const isKept = writer.choose(true);
      mustForget(pageStorage, name);
      parts.dropped(queue.discard());
      // Takes back what was left with the browser.
      unload.leave();
      start();
      await queue.touch();
      if (parts.isDurable()) return;
      // The database may hold what it did not forget.
      if (!isIn()) await platform.removeStore(name);
      if (!isKept)
        throw new Error(
          'the opt-out holds for this page alone: the browser keeps nothing, neither localStorage nor IndexedDB',
        );
    },
  };
}
