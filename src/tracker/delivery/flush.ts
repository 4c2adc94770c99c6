import type { Exclusive } from '../platform/tab-lock.ts';
import type { Time } from '../platform/time.ts';
import type { Entry, StoredEntry } from '../record/call.ts';
import type { Outcome } from '../record/outcome.ts';
import type { Unsettled } from '../unload/unsettled.ts';
import { fitting } from './batch-limits.ts';
import { type FlushEnd, nextStep } from './next-step.ts';
import { MAX_KEEPALIVE_BYTES, type RelayClient } from './relay-client.ts';
import { SEND_RATE } from './send-rate.ts';
import type { SettlePorts, Settler } from './settle.ts';

export type FlushPorts = SettlePorts &
  Settler & {
    readonly relay: RelayClient;
    readonly exclusive: Exclusive;
    readonly time: Time;
    /** What was sent as the page was left, and what became of it; each once. */
    readonly sent: () => ReadonlyMap<readonly Entry[], Promise<Outcome>>;
    readonly unsettled: Pick<Unsettled, 'forget' | 'among' | 'resync'>;
    /** False once the visitor has opted out. */
    readonly isIn: () => Promise<boolean>;
  };

// The relay is asked for halves of a batch that comes back again and again; but not at each failure of a relay that is down.
const BISECT_EVERY = 8;

// Where so many are refused one after the other, the fault lies on the way.
const MAX_ASIDE = 3;

/**
 * Sends what is due, batch by batch, oldest first, until nothing is due or something has to wait.
 * Nothing leaves the buffer before the relay has answered for it. One batch at a time, over all tabs.
 *
 * @param dueBefore records made before this moment of the page's monotonic clock are due, full batch or not
 */
export type Flush = (dueBefore: number) => Promise<FlushEnd>;

export function flusher(ports: FlushPorts): Flush {
  const { records, relay, settings, emit, clock, time, tokens, aside, slowDown } = ports;
  // Halved while a batch is refused, down to the one record at fault; doubled again with each that is taken. Kept from
  // flush to flush: there may be fewer tokens than halvings.
  let { batchSize } = settings;

  async function giveUpBisecting(outcome?: Outcome): Promise<void> {
    aside.clear();
    batchSize = settings.batchSize;
    await slowDown({ reason: 'unexpected_response', ...outcome });
  }

  /** The oldest records that may leave. */
  async function peek(): Promise<readonly StoredEntry[]> {
    const seen: StoredEntry[] = [];
    const oldest = await records.peek(settings.batchSize, (entry) => {
      seen.push(entry);
      return !aside.has(entry.id) && tokens?.token([entry]) !== null;
    });
    ports.unsettled.resync(seen, oldest.length < settings.batchSize, oldest.length);
    return oldest;
  }

  async function send(oldest: readonly StoredEntry[], failures: number): Promise<void> {
    const due = oldest.slice(0, batchSize);
    const [fit] = fitting(tokens?.together(due) ?? due, MAX_KEEPALIVE_BYTES);
    // A record that is too large by itself is for the relay to refuse.
    const batch = fit.length > 0 ? fit : due.slice(0, 1);
    // Without keepalive after a failure: the page's own requests may use up the budget for those.
    const outcome = await relay(batch, failures === 0);
    const isBisecting = batchSize < settings.batchSize || aside.size > 0;
    const {
      reason,
      suspects,
      message = 'is refused on its way to the relay, by a firewall or proxy',
    } = outcome;
    if (suspects === 'sure' || (suspects && (isBisecting || failures % BISECT_EVERY === 1))) {
      // Down to the record at fault. That one is set aside until another record is taken.
      if (batch.length > 1) batchSize = batch.length >> 1;
      else for (const entry of batch) aside.set(entry.id, [entry, message]);
      if (aside.size > MAX_ASIDE) await giveUpBisecting(outcome);
      return;
    }
    await ports.conclude(batch, outcome, failures);
    if (!reason) batchSize = Math.min(settings.batchSize, batchSize * 2);
  }

  /** One step, and how it ends the flush, if it does. Never beside another: what is in hand would be sent twice. */
  async function step(dueBefore: number): Promise<FlushEnd | undefined> {
    if (!(await ports.isIn())) return {};
    for (const [batch, answer] of ports.sent()) {
      const outcome = await answer;
      const left = ports.unsettled.among(batch);
      // A batch that the relay refuses is found again, and halved.
      if (outcome.suspects !== 'sure' && left.length > 0) await ports.conclude(left, outcome, 0);
    }
    const oldest = await peek();
    // Nothing else is left to tell whether those that were set aside are at fault.
    if (oldest.length === 0 && aside.size > 0) return void (await giveUpBisecting());
    const rate = await ports.rate();
    const next = nextStep(oldest, rate, {
      ...settings,
      now: clock.now(),
      ageOf: clock.ageOf,
      isClockConfirmed: clock.isConfirmed(),
      dueAgeMs: time.mono() - dueBefore,
      hasTokens: !!tokens,
    });
    if ('expired' in next) return void (await ports.drop(next.expired, 'expired'));
    if ('end' in next) {
      const { reason, forMs = 0 } = next.end;
      // Waiting for the allowance is no trouble, and no news.
      if (reason && reason !== 'tokens') emit('retrying', { reason, inMs: forMs });
      return next.end;
    }
    await records.update(SEND_RATE, () => next.rate);
    if (!next.asksTime) return void (await send(oldest, rate.failures));
    // The relay refuses an empty batch, and says what time it is.
    const outcome = await relay([], false);
    if (!clock.isConfirmed()) await slowDown({ reason: 'unexpected_response', ...outcome });
  }

  return async (dueBefore) => {
    let end: FlushEnd | undefined;
    while (!end) end = await ports.exclusive(() => step(dueBefore));
    return end;
  };
}
