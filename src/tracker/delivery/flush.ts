import type { Clock } from '../engine/clock.ts';
import type { Emit } from '../engine/events.ts';
import type { Exclusive } from '../platform/tab-lock.ts';
import type { Time } from '../platform/time.ts';
import type { Entry, StoredEntry } from '../record/call.ts';
import type { DropReason, Outcome } from '../record/outcome.ts';
import type { RecordStore } from '../store/record-store.ts';
import { takeWithinBytes } from './batch-limits.ts';
import { type FlushEnd, type FlushLimits, nextStep } from './next-step.ts';
import { MAX_KEEPALIVE_BYTES, type RelayClient } from './relay-client.ts';
import { rateAfter, readSendRate, SEND_RATE } from './send-rate.ts';
import type { Sendable } from './sendable.ts';
import type { SetAside } from './set-aside.ts';

export type FlushPorts = {
  readonly store: RecordStore;
  readonly relay: RelayClient;
  readonly exclusive: Exclusive;
  readonly settings: FlushLimits;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly time: Time;
  readonly random: () => number;
  readonly sendable: Sendable;
  readonly setAside: SetAside;
  /** False once the visitor has opted out. */
  readonly isIn: () => Promise<boolean>;
};

export type Flusher = {
  /**
   * Sends what is due, batch by batch, oldest first, until nothing is due or something has to wait.
   * Nothing leaves the buffer before the relay has answered for it. One batch at a time, over all tabs.
   *
   * @param dueBefore records made before this moment of the page's monotonic clock are due, full batch or not
   */
  readonly flush: (dueBefore: number) => Promise<FlushEnd>;
  /**
   * Does what an answer asks for: removes what the relay has settled, and tells so; or waits, all tabs together.
   * Never beside a flush.
   *
   * @param failures batches that failed in a row before this one
   */
  readonly conclude: (batch: readonly StoredEntry[], outcome: Outcome, failures: number) => Promise<void>;
  /** Gives records up, and tells so. Never beside a flush: those in hand would be told as both. */
  readonly drop: (entries: readonly StoredEntry[], reason: DropReason) => Promise<void>;
};

// The relay is asked for halves of a batch that comes back again and again; but not at each failure of a relay that is down.
const BISECT_EVERY = 8;

export const idsOf = (entries: readonly Entry[]) => entries.map(({ id }) => id);

export function flusher(ports: FlushPorts): Flusher {
  const { store, relay, sendable, setAside, exclusive, settings, emit, clock, time, random, isIn } = ports;
  // Halved while a batch is refused, down to the one record at fault; doubled again with each that is taken. Kept from
  // flush to flush: there may be fewer tokens than halvings.
  let { batchSize } = settings;

  const drop: Flusher['drop'] = async (entries, reason) => {
    await store.remove(entries, reason);
    emit('dropped', { ids: idsOf(entries), reason });
  };

  const reject = async (entries: readonly StoredEntry[], messageOf: (id: string) => string) => {
    await store.remove(entries, 'rejected');
    for (const { id } of entries) emit('rejected', { id, issues: [{ path: '', message: messageOf(id) }] });
  };

  /** All tabs wait after a failure, and are free again after a success. */
  const slowDown = (outcome: Outcome) =>
    store.update(SEND_RATE, (kept) =>
      rateAfter(readSendRate(kept, settings, clock.now()), outcome, clock.now(), random()),
    );

  async function settle(
    batch: readonly StoredEntry[],
    { rejected, repaired, duplicates }: Extract<Outcome, { kind: 'settled' }>,
  ): Promise<void> {
    const refused = new Map(rejected.map((rejection) => [rejection.id, rejection]));
    const delivered = batch.filter(({ id }) => !refused.has(id));
    const others = batch.filter(({ id }) => refused.has(id));
    if (delivered.length > 0) {
      await store.remove(delivered, 'delivered');
      emit('delivered', { ids: idsOf(delivered), duplicates });
    }
    if (others.length > 0) {
      await store.remove(others, 'rejected');
      for (const rejection of rejected) emit('rejected', rejection);
    }
    for (const repair of repaired) emit('repaired', repair);
    // The way is open: those that did not get through by themselves are at fault.
    await reject(setAside.confirm(), setAside.messageOf);
  }

  const conclude: Flusher['conclude'] = async (batch, outcome, failures) => {
    const isRetry = outcome.kind === 'retry';
    // For want of a token only those records wait that need it.
    if ((!isRetry || outcome.reason === 'token_required') && sendable.answered(batch, !isRetry) && isRetry)
      return;
    if (isRetry || failures > 0) await slowDown(outcome);
    if (outcome.kind === 'settled') await settle(batch, outcome);
  };

  /**
   * Narrows a batch that is refused as a whole down to the record at fault. That one is set aside until another record is
   * taken: where none is, the fault lies on the way, and all are kept.
   */
  async function bisect(batch: readonly StoredEntry[], outcome: Outcome): Promise<void> {
    const [first] = batch;
    if (batch.length > 1) batchSize = batch.length >> 1;
    else if (first && !setAside.add(first, outcome)) await giveUpBisecting(outcome);
  }

  async function giveUpBisecting(outcome: Outcome): Promise<void> {
    setAside.clear();
    ({ batchSize } = settings);
    await slowDown(outcome.kind === 'refused' ? { kind: 'retry', reason: 'unexpected_response' } : outcome);
  }

  async function send(oldest: readonly StoredEntry[], failures: number): Promise<void> {
    const due = sendable.together(oldest.slice(0, batchSize));
    const fitting = takeWithinBytes(due, MAX_KEEPALIVE_BYTES);
    // A record that is too large by itself is for the relay to refuse.
    const batch = fitting.length > 0 ? fitting : due.slice(0, 1);
    // Without keepalive after a failure: the page's own requests may use up the budget for those.
    const outcome = await relay(batch, failures === 0);
    // Opted out meanwhile: these were told as dropped, and nothing is written down any more.
    if (!(await isIn())) return;
    const isBisecting = batchSize < settings.batchSize || setAside.all().length > 0;
    const isSuspect =
      outcome.kind === 'refused' ||
      (outcome.kind === 'retry' && outcome.isForeign && (isBisecting || failures % BISECT_EVERY === 1));
    if (isSuspect) return bisect(batch, outcome);
    await conclude(batch, outcome, failures);
    if (outcome.kind === 'settled') batchSize = Math.min(settings.batchSize, batchSize * 2);
  }

  /** One step, and how it ends the flush, if it does. Never beside another: what is in hand would be sent twice. */
  async function step(dueBefore: number): Promise<FlushEnd | undefined> {
    if (!(await isIn())) return { step: 'rest' };
    const oldest = await sendable.peek(settings.batchSize);
    // Nothing else is left to tell whether those that were set aside are at fault.
    if (oldest.length === 0 && setAside.all().length > 0) {
      await giveUpBisecting({ kind: 'retry', reason: 'unexpected_response' });
      return undefined;
    }
    const rate = readSendRate(await store.get(SEND_RATE), settings, clock.now());
    const next = nextStep(oldest, rate, settings, {
      now: clock.now(),
      ageOf: clock.ageOf,
      isClockConfirmed: clock.isConfirmed(),
      dueAgeMs: time.mono() - dueBefore,
      hasTokens: sendable.hasTokens,
    });

    switch (next.step) {
      case 'rest':
        return next;
      case 'wait':
        // Waiting for the allowance is no trouble, and no news.
        if (next.reason !== 'tokens') emit('retrying', { reason: next.reason, inMs: next.forMs });
        return next;
      case 'drop':
        await drop(next.entries, 'expired');
        return undefined;
      case 'send':
        // A token that has ended since they were looked at: they are skipped by the next look.
        if (!oldest.every(sendable.maySend)) return undefined;
        await store.update(SEND_RATE, () => next.rate);
        if (next.asksTime) await askTime();
        else await send(oldest, rate.failures);
        return undefined;
    }
  }

  /** The relay refuses an empty batch, and says what time it is. */
  async function askTime(): Promise<void> {
    const outcome = await relay([], false);
    if (!clock.isConfirmed())
      await slowDown(outcome.kind === 'retry' ? outcome : { kind: 'retry', reason: 'unexpected_response' });
  }

  return {
    flush: async (dueBefore) => {
      let end: FlushEnd | undefined;
      while (!end) end = await exclusive(() => step(dueBefore));
      return end;
    },
    conclude,
    drop,
  };
}
