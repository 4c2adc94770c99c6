const SECONDS = /^\d+$/;

// `Date.parse` accepts more than HTTP dates ("3 days", "1.5"). RFC 9110, 5.6.7: all forms begin with a weekday.
const HTTP_DATE = /^(mon|tue|wed|thu|fri|sat|sun).*:/i;

/**
 * The wait in milliseconds that a `Retry-After` header asks for, in seconds or as an HTTP date. Never
 * negative. Undefined if there is no header, or it has neither form.
 *
 * @param now milliseconds since 1970, to measure the date against
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (SECONDS.test(text)) return Number(text) * 1000;
  const at = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
