import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { outbox } from './deployment.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The alarm of the outbox, which fires in virtual time. */
export type OutboxAlarm = {
  /** Looks up when it is due, if that may have changed. */
  readonly look: () => Promise<void>;
  /** When it is due. Empty if it is not set, or runs. */
  readonly moments: () => readonly number[];
  /** Fires it if it is due. */
  readonly fire: () => void;
  /** Something has happened that may have set it. */
  readonly mayHaveChanged: () => void;
};

export function outboxAlarm(time: VirtualTime): OutboxAlarm {
  let at: number | null = null;
  let isKnown = false;
  let isRunning = false;
  const mayHaveChanged = () => {
    isKnown = false;
  };
  return {
    look: async () => {
      if (isRunning || isKnown) return;
      at = await runInDurableObject(outbox(), (_, { storage }) => storage.getAlarm());
      isKnown = true;
    },
    moments: () => (isRunning || at === null ? [] : [at]),
    fire: () => {
      if (isRunning || at === null || at > Date.now()) return;
      isRunning = true;
      at = null;
      time
        .run(() => runDurableObjectAlarm(outbox()))
        .finally(() => {
          isRunning = false;
          mayHaveChanged();
        });
    },
    mayHaveChanged,
  };
}
