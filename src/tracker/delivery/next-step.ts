import { takeToken } from '../../pacing/allowance.ts';
import { ageOf, madeAtMono, relayNow } from '../page/clock.ts';
import type { Page } from '../page/page.ts';
import type { StoredEntry } from '../record/call.ts';
import type { FlushEnd } from '../record/outcome.ts';
import { ownPause, pausedForMs, type SendRate } from './send-rate.ts';

/** What to do: drop records, send a request, or, with neither, end the flush. */
export type NextStep = FlushEnd & {
  readonly expired?: readonly StoredEntry[];
  readonly rate?: SendRate;
  /** The request is an empty batch, which only asks for the time. */
  readonly asksTime?: boolean;
};

/**
 * Chooses what to do about the oldest records of the buffer. Pure.
 *
 * @param dueAgeMs records of at least this age are due at once; others when they fill a batch or have
 * waited `maxWaitMs`
 */
export function nextStep(
  page: Page,
  [oldest, rate]: readonly [readonly StoredEntry[], SendRate],
  dueAgeMs: number,
): NextStep {
  const { settings } = page;
  const [first] = oldest;
  if (!first) return {};
  const expired = oldest.filter((entry) => ageOf(page, entry) > settings.maxAgeMs);
  // A clock that has jumped must not drop records: the relay's clock is asked first.
  const asksTime = expired.length > 0;
  if (asksTime && page.isClockConfirmed) return { expired };

  const oldestAgeMs = ageOf(page, first);
  const forMs = settings.maxWaitMs - oldestAgeMs;
  // A negative age means that the clock was set back. The record is due, or it might wait for a year.
  if (oldest.length < settings.batchSize && oldestAgeMs >= 0 && oldestAgeMs < dueAgeMs && forMs > 0)
    return { forMs };

  const oldestAt = madeAtMono(page, first);
  const pause = ownPause(page, rate.pause);
  const now = relayNow(page);
  const pausedMs = pausedForMs(pause, now);
  if (pause && pausedMs) return { reason: pause.reason, forMs: pausedMs, oldestAt };
  const { fullAt, inMs } = takeToken(rate.fullAt, settings, now);
  return inMs > 0 ? { reason: 'tokens', forMs: inMs, oldestAt } : { rate: { ...rate, fullAt }, asksTime };
}
