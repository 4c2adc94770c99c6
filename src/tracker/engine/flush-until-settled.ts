import type { FlushSchedule } from '../delivery/flush-schedule.ts';
import type { Sendable } from '../delivery/sendable.ts';
import type { Time } from '../platform/time.ts';
import type { FlushResult } from '../record/outcome.ts';

export type FlushUntilPorts = {
  readonly schedule: Pick<FlushSchedule, 'now'>;
  readonly tokens: Sendable | undefined;
  readonly time: Time;
  readonly visitor: { readonly isIn: () => boolean };
};

/** Sends what was buffered at the call, waiting for the allowance; answers why not, where something else is in the way. */
export async function flushUntilSettled({
  schedule,
  tokens,
  time,
  visitor,
}: FlushUntilPorts): Promise<FlushResult> {
  const calledAt = time.mono();
  for (;;) {
    const { reason, forMs = 0, oldestAgeMs = -1 } = await schedule.now(calledAt);
    // Records made since the call are not waited for.
    const isLater = oldestAgeMs >= 0 && oldestAgeMs < time.mono() - calledAt;
    if (!visitor.isIn()) return { settled: true };
    if (reason === 'tokens' && !isLater) {
      await new Promise<void>((resolve) => void time.timer(resolve, forMs));
    } else if (reason && reason !== 'tokens' && !isLater) {
      return { settled: false, reason, retryInMs: forMs };
    } else {
      const skippedForMs = await tokens?.skippedForMs(calledAt);
      if (skippedForMs === undefined) return { settled: true };
      if (skippedForMs !== 'again')
        return { settled: false, reason: 'token_required', retryInMs: skippedForMs };
    }
  }
}
