import type { FlushSchedule } from '../delivery/flush-schedule.ts';
import type { Sendable } from '../delivery/sendable.ts';
import type { Time } from '../platform/time.ts';
import type { FlushResult } from '../record/outcome.ts';

export type FlushUntilPorts = {
  readonly schedule: Pick<FlushSchedule, 'now'>;
  readonly sendable: Pick<Sendable, 'skippedForMs'>;
  readonly time: Time;
  readonly isIn: () => boolean;
};

/** Sends what was buffered at the call, waiting for the allowance; answers why not, where something else is in the way. */
export async function flushUntilSettled({
  schedule,
  sendable,
  time,
  isIn,
}: FlushUntilPorts): Promise<FlushResult> {
  const calledAt = time.mono();
  while (true) {
    const end = await schedule.now(calledAt);
    if (!isIn()) return { settled: true };
    // Records made since the call are not waited for.
    const isLater = end.step === 'wait' && end.oldestAgeMs >= 0 && end.oldestAgeMs < time.mono() - calledAt;
    if (end.step === 'rest' || isLater) {
      const skippedForMs = await sendable.skippedForMs(calledAt);
      if (skippedForMs === undefined) return { settled: true };
      if (skippedForMs !== 'again')
        return { settled: false, reason: 'token_required', retryInMs: skippedForMs };
    } else if (end.reason === 'tokens') {
      await new Promise<void>((resolve) => void time.timer(resolve, end.forMs));
    } else {
      return { settled: false, reason: end.reason, retryInMs: end.forMs };
    }
  }
}
