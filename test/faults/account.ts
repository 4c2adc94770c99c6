import type { TrackerStats } from '../../src/tracker/store/stats.ts';
import type { Tab } from './engines/engine.ts';

const stats = (): Promise<TrackerStats> => globalThis.webengageRelay.stats();

/** Rejects where the tracker's own account of its records does not add up, or has any left in the buffer. */
export async function checkAccount(tab: Tab): Promise<void> {
  const account = await tab.evaluate(stats, null);
  const { tracked, buffered, delivered, rejected, dropped } = account;
  const ended = delivered + rejected + dropped.expired + dropped.over_max_records;
  if (tracked !== ended + buffered || buffered !== 0)
    throw new Error(`the tracker's account does not add up: ${JSON.stringify(account)}`);
}
