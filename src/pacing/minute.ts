/** The period of rate limits. */
export const MINUTE_MS = 60_000;

export const DAY_MS: number = 24 * 60 * MINUTE_MS;
