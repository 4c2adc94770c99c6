import { WILDCARD } from '../settings/origin-pattern.ts';

/** The CORS headers that let a page of this origin read our answers. A refused origin gets only `Vary`. */
export function corsHeaders(origin: string | null, allowed: readonly string[]): Record<string, string> {
  // Also on refusals: a cache must not reuse this answer for another origin.
  if (!originAllowed(origin, allowed)) return { Vary: 'Origin' };
  return {
    'Access-Control-Allow-Origin': allowed.includes('*') ? '*' : (origin ?? ''),
    'Access-Control-Expose-Headers': 'Retry-After',
    Vary: 'Origin',
  };
}

/**
 * True for the origin of a page that may send. A request without an `Origin` does not come from a page.
 * Sandboxed frames and local files send `null`. Any site can do that, so only `*` allows it.
 */
export function originAllowed(origin: string | null, allowed: readonly string[]): boolean {
  return origin !== null && allowed.some((pattern) => matches(origin, pattern));
}

// One or more labels below the wildcard's host. A forged Origin may hold anything:
// `https://evil.example/.example.com`.
const LABELS = /^[a-z\d_-]+(\.[a-z\d_-]+)*$/;

function matches(origin: string, pattern: string): boolean {
  const [, scheme, host] = WILDCARD.exec(pattern) ?? [];
  if (scheme === undefined) return pattern === '*' || pattern === origin;
  const end = `.${host}`;
  return (
    origin.startsWith(scheme) && origin.endsWith(end) && LABELS.test(origin.slice(scheme.length, -end.length))
  );
}
