/** What the tracker is set to unless told otherwise. */
export const TOKENS = { capacity: 5, perMinute: 60 };

const REASONS = {
  network: 'No way to the relay',
  unavailable: 'The relay is not available',
  rate_limited: 'The relay asks for patience',
  not_allowed: 'The relay does not allow this page',
  not_the_relay: 'Something else than the relay answered',
};

export function reasonInWords(reason) {
  return REASONS[reason] ?? reason;
}

/** Tokens left now: what was left when the tracker last wrote it down, and what has come in since. */
export function tokensLeft(pace, now) {
  if (pace === undefined) return TOKENS.capacity;
  const { tokens, asOf } = pace.bucket;
  const gained = (Math.max(0, now - asOf) * TOKENS.perMinute) / 60_000;
  return Math.min(TOKENS.capacity, tokens + gained);
}

/** What the tracker waits for after a failure, in words; undefined where it does not wait. */
export function waitInWords(pace, now) {
  const { pause } = pace ?? {};
  if (pause === undefined || now >= pause.since + pause.forMs) return undefined;
  const seconds = Math.ceil((pause.since + pause.forMs - now) / 1000);
  return `${reasonInWords(pause.reason)}: kept, next try in ${seconds} s`;
}
