import type { Page } from '../page/page.ts';
import { isIn } from '../page/visitor-state.ts';
import type { FlushResult } from '../record/outcome.ts';
import { flushNow } from './flush-schedule.ts';

/** Sends what was buffered at the call. Waits for the allowance, and returns any other reason to wait. */
export async function flushUntilSettled(page: Page): Promise<FlushResult> {
  const { time } = page;
  const calledAt = time.mono();
  for (;;) {
    const { reason, forMs = 0, oldestAt = 0 } = await flushNow(page, calledAt);
    // Records made since the call are not waited for. One of the future is older: the clock was set back.
    const isLater = oldestAt > calledAt && oldestAt <= time.mono();
    if (!reason || isLater || !isIn(page)) return { settled: true };
    if (reason !== 'tokens') return { settled: false, reason, retryInMs: forMs };
    await new Promise<void>((resolve) => void time.timer(resolve, forMs));
  }
}
