/** What limits are counted by. */
export const MINUTE_MS = 60_000;
