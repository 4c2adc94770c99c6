import type { AddOn } from '../add-ons/add-on.ts';
import { flusher } from '../delivery/flush.ts';
import { type FlushSchedule, flushSchedule } from '../delivery/flush-schedule.ts';
import { relayClient, relayRequests } from '../delivery/relay-client.ts';
import { endNetworkPause, pausedForMs, SEND_RATE } from '../delivery/send-rate.ts';
import type { Sendable } from '../delivery/sendable.ts';
import { settler } from '../delivery/settle.ts';
import type { Call, Entry, StoredEntry } from '../record/call.ts';
import { isOut, readVisitor } from '../record/visitor.ts';
import { COUNTS, VISITOR } from '../store/record-store.ts';
import { statsOf } from '../store/stats.ts';
import { fetchLaterNet } from '../unload/fetch-later.ts';
import { createUnloadFlush, type UnloadFlush } from '../unload/unload-flush.ts';
import type { Page } from './page.ts';

/** The calls of a page that are not in the database. */
export type Unwritten = {
  readonly pending: () => readonly Call[];
  /** The records they would become now. */
  readonly preview: () => readonly Entry[];
  /** Resolves once records may be sent, and the visitor is known. */
  readonly ready: () => Promise<void>;
};

/** The parts of a tracker that send, put together. */
export type Sending = {
  readonly unload: UnloadFlush;
  readonly schedule: FlushSchedule;
  readonly tokens: Sendable | undefined;
  /** To be told what was appended, and how many records then wait. */
  readonly appended: (entries: readonly StoredEntry[], waiting: number) => void;
  /** Sends at once what waited for a network. */
  readonly online: () => Promise<unknown>;
};

// The relay's clock is told to the database where it has moved by more than that: the way of an answer takes as long.
const MIN_OFFSET_CHANGE_MS = 1_000;

export function createSending(page: Page, addOn: AddOn, unwritten: Unwritten): Sending {
  const { settings, time, clock, visitor, records, unsettled, spill } = page;
  const exclusive = page.exclusive(page.name);
  const tokens = addOn.sendable?.({
    ...page,
    signedIn: () => (visitor.isIn() ? visitor.now().userId : undefined),
    changed: () => {
      unload.changed();
      void schedule.now();
    },
  });
  const delivery = { ...page, tokens };
  const settle = settler(delivery);
  const request = relayRequests({ ...page, token: (batch) => tokens?.token(batch) ?? undefined });

  /** What may leave as the page is left, of its own records and of those the buffer begins with. */
  function sendable(all: boolean): readonly Entry[] {
    const pause = settle.pause();
    // That the network was gone is no reason not to try.
    const isPaused = pause?.reason !== 'network' && pausedForMs(pause, clock.now(), !!tokens) > 0;
    if (isPaused || !visitor.isConfirmed()) return [];
    const known = all ? unsettled.all() : unsettled.head();
    const calls = (all || unsettled.isComplete()) && visitor.isFresh() ? unwritten.preview() : [];
    const entries = [...known, ...calls].filter(({ id }) => !settle.aside.has(id));
    return tokens?.together(entries, true) ?? entries;
  }
  const unload = createUnloadFlush({
    spill,
    sendable,
    client: relayClient(request, page),
    net: fetchLaterNet(request, page),
    unsaved: () => [...spill.left(), ...(page.isDurable() ? [] : unsettled.all()), ...unwritten.pending()],
    isIn: visitor.isIn,
    askForSync: () => askForSync?.(),
  });

  let askForSync: (() => void) | undefined;
  const flush = flusher({ ...delivery, ...unload, ...settle, exclusive, isIn: () => refreshVisitor(page) });
  const schedule = flushSchedule(
    async (dueBefore = time.mono()) => {
      await unwritten.ready();
      if (settings.backgroundSync) askForSync ??= page.askForSync(page.name);
      const end = await flush(dueBefore);
      unload.changed();
      return end;
    },
    time.timer,
    settings,
  );

  async function dropOldest(): Promise<void> {
    const over = statsOf(await records.get(COUNTS)).buffered - settings.maxRecords;
    if (over > 0) await settle.drop(await records.peek(over), 'over_max_records');
  }

  return {
    unload,
    schedule,
    tokens,
    appended: (entries, waiting) => {
      // A page that is left can't wait for a token: it is asked for now.
      tokens?.token(entries.slice(-1));
      unload.changed();
      if (waiting > settings.maxRecords) void exclusive(dropOldest);
      if (entries.length > 0) schedule.appended(waiting - unsettled.skipped());
    },
    online: () => records.update(SEND_RATE, endNetworkPause).then(() => schedule.now()),
  };
}

/** Takes who the visitor is by now; answers whether they are in. Tells the database what the relay's answers have taught. */
async function refreshVisitor({ records, visitor, clock }: Page): Promise<boolean> {
  let kept = readVisitor(await records.get(VISITOR));
  const clockOffset = clock.offset();
  const isKnown = kept.device || isOut(kept);
  if (kept.device && clockOffset !== undefined && !isClose(clockOffset, kept.clockOffset))
    kept = await records.update(VISITOR, (other) => ({ ...readVisitor(other), clockOffset }));
  if (isKnown) visitor.confirm(kept);
  return visitor.isIn();
}

function isClose(offset: number, kept: number | undefined): boolean {
  return kept !== undefined && Math.abs(offset - kept) < MIN_OFFSET_CHANGE_MS;
}
