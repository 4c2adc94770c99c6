import { isBot } from 'isbot';

/** What gives a bot away: its own name, `navigator.webdriver` in its browser, or Cloudflare. */
export type BotSign = 'user_agent' | 'webdriver' | 'cloudflare';

/** What is counted of bots: their records by sign, and how many of those were refused. */
export type BotCount = BotSign | 'refused';

/**
 * What Cloudflare may say of a request in `request.cf`. `botManagement` comes only with Bot Management.
 * https://developers.cloudflare.com/bots/reference/bot-management-variables/
 */
export type CloudflareSigns = {
  readonly botManagement?: { readonly verifiedBot?: boolean; readonly score?: number } | null;
  /** Such as `Search Engine Crawler`. Empty or missing for all others. */
  readonly verifiedBotCategory?: string | null;
};

/** What is known of the page that sends a batch. A missing part means nothing. */
export type PageSigns = {
  readonly userAgent: string | null;
  /** The tracker says that `navigator.webdriver` is set. */
  readonly isAutomated: boolean | undefined;
  readonly cloudflare: CloudflareSigns | undefined;
};

// Longer than the user agent of any browser. Without a limit, a sender decides how much text is searched.
const MAX_USER_AGENT = 1_000;

// "Automated". From 2 to 29 is "likely automated", and among those are visitors.
// https://developers.cloudflare.com/bots/concepts/bot-score/
const AUTOMATED = 1;

/**
 * The first sign that a page's visitor is a bot. Undefined for everyone else, such as an unknown browser. A bot that
 * wants to be taken for a visitor is.
 */
export function botSign({ userAgent, isAutomated, cloudflare }: PageSigns): BotSign | undefined {
  if (isBot(userAgent?.slice(0, MAX_USER_AGENT))) return 'user_agent';
  if (isAutomated) return 'webdriver';
  const { botManagement, verifiedBotCategory } = cloudflare ?? {};
  const isKnown = botManagement?.verifiedBot === true || Boolean(verifiedBotCategory);
  return isKnown || botManagement?.score === AUTOMATED ? 'cloudflare' : undefined;
}
