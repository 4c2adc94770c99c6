/** The period of rate limits. */
export const MINUTE_MS = 60_000;
