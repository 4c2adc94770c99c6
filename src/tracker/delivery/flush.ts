import type { DropReason, Tell } from '../engine/events.ts';
import type { Exclusive } from '../platform/tab-lock.ts';
import type { BufferedRecord, Entry, Storage } from '../store/record-store.ts';
import type { Farewell } from '../unload/unload-flush.ts';
import { batchWithin, ofOneUser } from './batch-limits.ts';
import type { IdentityTokens } from './identity-tokens.ts';
import { type FlushLimits, type NextStep, nextStep } from './next-step.ts';
import { MAX_KEEPALIVE_BYTES, type Outcome } from './relay-client.ts';
import { PACE, paceAfter, paceOf } from './send-rate.ts';
import type { Lookout } from './sendable.ts';

export type FlushPorts = {
  readonly storage: Storage;
  readonly farewell: Pick<Farewell, 'relay'>;
  readonly exclusive: Exclusive;
  readonly settings: FlushLimits;
  readonly tell: Tell;
  readonly now: () => number;
  readonly random: () => number;
  /** False once the visitor has opted out. */
  readonly isIn: () => boolean;
  readonly tokens: Pick<IdentityTokens, 'userOf' | 'answered'>;
  readonly lookout: Pick<Lookout, 'look' | 'mayGo'>;
};

/** How a flush ended: with nothing due, or with records that have to wait. */
export type FlushEnd = Extract<NextStep, { step: 'rest' | 'wait' }>;

export type Flusher = {
  /**
   * Sends what is due, batch by batch, oldest first, until nothing is or something has to wait.
   * Nothing leaves the buffer before the relay has answered for it. One batch at a time, over all tabs.
   *
   * @param dueBefore what was buffered before this moment is due, be it a full batch or not
   */
  readonly flush: (dueBefore: number) => Promise<FlushEnd>;
  /**
   * Does what an answer asks for: forgets what the relay has settled, and tells so; or waits, all tabs together.
   * Never beside a flush.
   *
   * @param failures batches that failed in a row before this one
   */
  readonly conclude: (batch: readonly BufferedRecord[], outcome: Outcome, failures: number) => Promise<void>;
  /** Gives records up, and tells so. Never beside a flush: what it has in hand would be told as both. */
  readonly drop: (records: readonly BufferedRecord[], reason: DropReason) => Promise<void>;
};

const idsOf = (records: readonly Entry[]) => records.map(({ record }) => record.id);

export function flusher(ports: FlushPorts): Flusher {
  const { storage, farewell, tokens, lookout, exclusive, settings, tell, now, random, isIn } = ports;
  // Halved while the relay refuses a batch, down to the one record at fault; doubled again with each that it takes. Kept
  // from flush to flush: there may be fewer tokens than halvings.
  let { batchSize } = settings;

  const drop: Flusher['drop'] = async (records, reason) => {
    await storage.remove(records, reason);
    tell('dropped', { ids: idsOf(records), reason });
  };

  const conclude: Flusher['conclude'] = async (batch, outcome, failures) => {
    const isRetry = outcome.kind === 'retry';
    // Where it is for the token only those wait that it is of.
    if ((!isRetry || outcome.reason === 'no_token') && tokens.answered(batch, !isRetry) && isRetry) return;

    if (failures > 0 || isRetry)
      await storage.update(PACE, (kept) =>
        paceAfter(paceOf(kept, settings, now()), outcome, now(), random()),
      );
    if (isRetry) return;

    const isRefused = outcome.kind === 'refused';
    const rejections = isRefused
      ? idsOf(batch).map((id) => ({ id, issues: [{ path: '', message: outcome.message }] }))
      : outcome.rejected;
    const refused = new Map(rejections.map((rejection) => [rejection.id, rejection]));
    const delivered = batch.filter(({ record }) => !refused.has(record.id));
    const rejected = batch.filter(({ record }) => refused.has(record.id));
    if (!isRefused && delivered.length > 0) {
      await storage.remove(delivered, 'delivered');
      tell('delivered', { ids: idsOf(delivered), duplicates: outcome.duplicates });
    }
    if (rejected.length > 0) {
      await storage.remove(rejected, 'rejected');
      for (const rejection of refused.values()) tell('rejected', rejection);
    }
  };

  /** One step, and how it ends the flush, if it does. Never beside another: what is in hand would be sent twice. */
  async function step(dueBefore: number): Promise<FlushEnd | undefined> {
    if (!isIn()) return { step: 'rest' };
    const oldest = await lookout.look(settings.batchSize);
    const pace = paceOf(await storage.get(PACE), settings, now());
    const next = nextStep(oldest, pace, settings, dueBefore, now());

    switch (next.step) {
      case 'rest':
        return next;
      case 'wait':
        // Waiting for the allowance is no trouble, and nobody's news.
        if (next.reason !== 'tokens') tell('retrying', { reason: next.reason, inMs: next.forMs });
        return next;
      case 'drop':
        await drop(next.records, 'expired');
        break;
      case 'send': {
        // A token that has ended since they were looked at: they are passed over by the next look.
        if (!oldest.every(lookout.mayGo)) break;
        await storage.update(PACE, () => next.pace);
        const due = ofOneUser(oldest.slice(0, batchSize), tokens.userOf);
        const fitting = batchWithin(due, MAX_KEEPALIVE_BYTES);
        // One that is too large by itself is for the relay to refuse.
        const batch = fitting.length > 0 ? fitting : due.slice(0, 1);
        const outcome = await farewell.relay(batch);
        if (outcome.kind === 'refused' && batch.length > 1) {
          batchSize = Math.floor(batch.length / 2);
        } else {
          await conclude(batch, outcome, pace.failures);
          batchSize = Math.min(settings.batchSize, batchSize * 2);
        }
      }
    }
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
