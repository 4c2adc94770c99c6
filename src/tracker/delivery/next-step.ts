import { takeToken } from '../../pacing/allowance.ts';
import { ageOf, relayNow } from '../page/clock.ts';
import type { Page } from '../page/page.ts';
import type { StoredEntry } from '../record/call.ts';
import type { FlushEnd } from '../record/outcome.ts';
import { pausedForMs, type SendRate } from './send-rate.ts';

/** What to do: give records up, send a request, or end the flush, where there is neither of these. */
export type NextStep = FlushEnd & {
  readonly expired?: readonly StoredEntry[];
  readonly rate?: SendRate;
  /** Nothing but the time is asked for, by an empty batch. */
  readonly asksTime?: boolean;
};

/**
 * Chooses what to do about the oldest records of the buffer. Pure.
 *
 * @param dueAgeMs records of this age or more are due at once; others when they fill a batch or have waited `maxWaitMs`
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
  // Nothing is given up because a clock has jumped: the relay's is asked first.
  const asksTime = expired.length > 0;
  if (asksTime && page.isClockConfirmed) return { expired };

  const oldestAgeMs = ageOf(page, first);
  const forMs = settings.maxWaitMs - oldestAgeMs;
  // A record from the future was made before the clock was set back: it is due, or it might wait for a year.
  if (oldest.length < settings.batchSize && oldestAgeMs >= 0 && oldestAgeMs < dueAgeMs && forMs > 0)
    return { forMs };

  const { pause } = rate;
  const now = relayNow(page);
  const pausedMs = pausedForMs(pause, now, !!page.tokens);
  if (pause && pausedMs) return { reason: pause.reason, forMs: pausedMs, oldestAgeMs };
  const { fullAt, inMs } = takeToken(rate.fullAt, settings, now);
  return inMs > 0 ? { reason: 'tokens', forMs: inMs, oldestAgeMs } : { rate: { ...rate, fullAt }, asksTime };
}
