import type { Rejection } from '../../contract/answer.ts';
import type { Clock } from '../engine/clock.ts';
import type { Emit } from '../engine/events.ts';
import type { Entry, StoredEntry } from '../record/call.ts';
import type { Disposition, DropReason, Outcome } from '../record/outcome.ts';
import { readVisitor } from '../record/visitor.ts';
import { type RecordStore, VISITOR } from '../store/record-store.ts';
import type { Unsettled } from '../unload/unsettled.ts';
import type { FlushLimits } from './next-step.ts';
import { type Pause, rateAfter, readSendRate, SEND_RATE, type SendRate } from './send-rate.ts';
import type { Sendable } from './sendable.ts';

export type SettlePorts = {
  readonly records: RecordStore;
  readonly settings: FlushLimits;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly chance: { readonly random: () => number };
  readonly tokens: Sendable | undefined;
  readonly unsettled: Pick<Unsettled, 'forget'>;
};

/** Does what the relay's answers ask for. Never beside a flush of another tab. */
export type Settler = {
  /**
   * Records that were refused by themselves, and what for. They are passed over until another record is taken, and are at
   * fault then: a firewall that objects to one record answers as one that objects to all.
   */
  readonly aside: Map<string, readonly [entry: StoredEntry, message: string]>;
  /** The rate that all tabs keep. */
  readonly rate: () => Promise<SendRate>;
  /** The pause in it, as this page last saw it. */
  readonly pause: () => Pause | undefined;
  /** All tabs wait after a failure, and are free again after a success. */
  readonly slowDown: (outcome: Outcome) => Promise<void>;
  /**
   * Removes what the relay has settled, and tells so; or waits, all tabs together.
   *
   * @param failures batches that failed in a row before this one
   */
  readonly conclude: (batch: readonly StoredEntry[], outcome: Outcome, failures: number) => Promise<void>;
  /** Gives records up, and tells so. */
  readonly drop: (entries: readonly StoredEntry[], reason: DropReason) => Promise<void>;
};

export const idsOf = (entries: readonly Entry[]) => entries.map(({ id }) => id);

export function settler(ports: SettlePorts): Settler {
  const { records, settings, emit, clock, chance, tokens, unsettled } = ports;
  const aside: Settler['aside'] = new Map();
  let pause: Pause | undefined;

  const toRate = (kept: unknown) => {
    const rate = readSendRate(kept, settings, clock.now());
    pause = rate.pause;
    return rate;
  };
  const slowDown: Settler['slowDown'] = async (outcome) => {
    toRate(
      await records.update(SEND_RATE, (kept) =>
        rateAfter(toRate(kept), outcome, { now: clock.now(), random: chance.random() }),
      ),
    );
  };

  async function end(entries: readonly StoredEntry[], how: Disposition): Promise<void> {
    await records.remove(entries, how);
    unsettled.forget(idsOf(entries));
    // What they have reported did not arrive.
    if (how !== 'delivered')
      await records.update(VISITOR, (kept) => ({ ...readVisitor(kept), reported: undefined }));
  }

  async function settle(
    batch: readonly StoredEntry[],
    { rejected = [], repaired = [], duplicates = 0 }: Outcome,
  ): Promise<void> {
    const rejections: Rejection[] = [...rejected];
    const settled = [...batch];
    for (const [id, [entry, message]] of aside) {
      rejections.push({ id, issues: [{ path: '', message }] });
      settled.push(entry);
    }
    aside.clear();
    const refused = new Set(rejections.map(({ id }) => id));
    const delivered = settled.filter(({ id }) => !refused.has(id));
    if (delivered.length > 0) {
      await end(delivered, 'delivered');
      emit('delivered', { ids: idsOf(delivered), duplicates });
    }
    if (refused.size > 0) {
      await end(
        settled.filter(({ id }) => refused.has(id)),
        'rejected',
      );
      for (const rejection of rejections) emit('rejected', rejection);
    }
    for (const repair of repaired) emit('repaired', repair);
  }

  return {
    aside,
    rate: async () => toRate(await records.get(SEND_RATE)),
    pause: () => pause,
    slowDown,
    conclude: async (batch, outcome, failures) => {
      const { reason } = outcome;
      // For want of a token only those records wait that need it.
      if (tokens && (!reason || reason === 'token_required') && tokens.answered(batch, !reason) && reason)
        return;
      if (reason || failures > 0) await slowDown(outcome);
      if (!reason) await settle(batch, outcome);
    },
    drop: async (entries, reason) => {
      await end(entries, reason);
      emit('dropped', { ids: idsOf(entries), reason });
    },
  };
}
