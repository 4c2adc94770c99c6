import { WILDCARD } from '../settings/origin-pattern.ts';

/** The headers by which a browser lets a page of this origin read our answers; none for an origin that is not allowed. */
export function corsHeaders(origin: string | null, allowed: readonly string[]): Record<string, string> {
  // Said to who is refused too: what is kept of this answer is not for another origin.
  if (!originAllowed(origin, allowed)) return { Vary: 'Origin' };
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
  return origin !== null && allowed.some((pattern) => matches(origin, pattern));
}

// One label or more below the wildcard's host. Who forges an Origin writes whatever helps: `https://evil.example/.example.com`.
const LABELS = /^[a-z\d_-]+(\.[a-z\d_-]+)*$/;

function matches(origin: string, pattern: string): boolean {
  const [, scheme, host] = WILDCARD.exec(pattern) ?? [];
  if (scheme === undefined) return pattern === '*' || pattern === origin;
  const end = `.${host}`;
  return (
    origin.startsWith(scheme) && origin.endsWith(end) && LABELS.test(origin.slice(scheme.length, -end.length))
  );
}
