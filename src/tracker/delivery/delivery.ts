import type { DropReason } from '../engine/events.ts';
import type { Settings } from '../options.ts';
import { COUNTS } from '../store/record-store.ts';
import { statsOf } from '../store/stats.ts';
import type { Farewell } from '../unload/unload-flush.ts';
import type { Held } from '../unload/unsettled.ts';
import { type FlushPorts, flusher } from './flush.ts';
import { type FlushSchedule, flushSchedule, type Timer } from './flush-schedule.ts';
import { endNetworkPause, PACE } from './send-rate.ts';
import type { Lookout } from './sendable.ts';

export type SendingPorts = FlushPorts & {
  readonly settings: Settings;
  readonly farewell: Farewell;
  readonly held: Held;
  readonly lookout: Lookout;
  readonly timer: Timer;
  /** Resolves once it may be sent, and the visitor is known. */
  readonly ready: () => Promise<void>;
};

export type Sending = {
  /** Flushes now what was made before a moment; before now, if none is given. */
  readonly now: FlushSchedule['now'];
  /** To be told after an append: so many records wait. More than `maxRecords` may not: the oldest of them are given up. */
  readonly appended: FlushSchedule['appended'];
  /** Sends at once what waited for a network. */
  readonly online: () => Promise<unknown>;
  /** Gives up all that the buffer holds. Never beside a flush. */
  readonly dropAll: (reason: DropReason) => Promise<void>;
};

// Of a large buffer not all is read at once.
const DROPPED_AT_ONCE = 1_000;

/** Sends what the buffer holds, once what the farewell has sent is known to be settled or not. */
export function startSending(ports: SendingPorts): Sending {
  const { settings, farewell, held, lookout, timer, ready, storage, exclusive, now } = ports;
  const { flush, conclude, drop } = flusher(ports);

  const schedule = flushSchedule(
    async (dueBefore) => {
      await ready();
      await exclusive(async () => {
        for (const [batch, outcome] of farewell.sent()) {
          const end = await outcome;
          const left = held.buffered(batch);
          // A batch that the relay refuses is found again, and halved.
          if (end.kind !== 'refused' && left.length > 0) await conclude(left, end, 0);
        }
      });
      const end = await flush(dueBefore ?? now());
      farewell.changed();
      return end;
    },
    timer,
    settings,
  );

  async function dropOldest(): Promise<void> {
    const { buffered } = statsOf(await storage.get(COUNTS));
    const over = buffered - settings.maxRecords;
    if (over > 0) await drop(await storage.peek(over), 'over_max_records');
  }

  return {
    now: schedule.now,
    appended: (waiting) => {
      if (waiting > settings.maxRecords) exclusive(dropOldest).catch(() => {}); // Stolen from: the next append sees to it.
      schedule.appended(waiting - lookout.passedOver());
    },
    dropAll: async (reason) => {
      while (true) {
        const some = await storage.peek(DROPPED_AT_ONCE);
        if (some.length === 0) return;
        await drop(some, reason);
      }
    },
    online: () => storage.update(PACE, endNetworkPause).then(() => schedule.now()),
  };
}
