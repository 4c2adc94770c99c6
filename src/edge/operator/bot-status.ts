import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { BotCount, BotSign } from '../auth/bot.ts';
import type { GroupCounts } from '../durable-objects/rate-gate.ts';
import type { BotMode } from '../settings/settings.ts';

/** Records of bots, each counted by the first sign that gave its bot away. */
type BotRecords = {
  readonly records: number;
  /** Those that were refused. All others were accepted. */
  readonly refused: number;
  /** The calls to WebEngage that the records cost, or would have cost, at 25 records a call. */
  readonly calls: number;
  readonly bySign: Readonly<Record<BotSign, number>>;
};

/** What `BOTS` is set to, and what was counted, also while it was set to something else. */
export type BotStatus = {
  readonly mode: BotMode;
  readonly lastHour: BotRecords;
  readonly total: BotRecords;
};

export function botStatus({ lastHour, total }: GroupCounts, mode: BotMode): BotStatus {
  return { mode, lastHour: botRecords(lastHour), total: botRecords(total) };
}

function botRecords(counts: GroupCounts['total']): BotRecords {
  const {
    user_agent = 0,
    webdriver = 0,
    cloudflare = 0,
    refused = 0,
  }: { readonly [Name in BotCount]?: number | undefined } = counts;
  const records = user_agent + webdriver + cloudflare;
  return {
    records,
    refused,
    calls: Math.ceil(records / MAX_BATCH_RECORDS),
    bySign: { user_agent, webdriver, cloudflare },
  };
}
