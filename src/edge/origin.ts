/** The headers by which a browser lets a page of this origin read our answers; none for an origin that is not allowed. */
export function corsHeaders(origin: string | null, allowed: readonly string[]): Record<string, string> {
  if (!originAllowed(origin, allowed)) return {};
  return {
    'Access-Control-Allow-Origin': allowed.includes('*') ? '*' : (origin ?? ''),
    'Access-Control-Expose-Headers': 'Retry-After',
    Vary: 'Origin',
  };
}

/**
 * True for the pages that may send. A request without an `Origin` comes from no page.
 * `null` is what sandboxed frames and local files say: anyone's, so it is never allowed but by `*`.
 */
export function originAllowed(origin: string | null, allowed: readonly string[]): boolean {
  return origin !== null && (allowed.includes('*') || allowed.includes(origin));
}
