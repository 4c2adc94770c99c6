// How long a browser may cache a preflight's answer. Browsers limit this to two hours or less.
const MAX_AGE_S = 7_200;

// Enough for the headers that `fetch` wrappers add. It limits the length of the answer.
const MAX_REQUESTED_LENGTH = 1_000;

// A header name as HTTP defines it. https://www.rfc-editor.org/rfc/rfc9110#name-tokens
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

// A page must never hold the server token, and the relay uses no credentials. `*` would allow any header.
const NEVER_ALLOWED: ReadonlySet<string> = new Set(['*', 'authorization', 'cookie', 'proxy-authorization']);

/**
 * The answer to a preflight from an allowed origin: the page may post, with the headers it asks for. A page
 * may add its own headers to every `fetch`, and the relay ignores them.
 *
 * @param requested `Access-Control-Request-Headers`
 */
export function preflight(requested: string | null): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': ['Content-Type', ...requestedHeaders(requested ?? '')].join(', '),
      'Access-Control-Max-Age': String(MAX_AGE_S),
    },
  });
}

/** The listed names, except those always or never allowed. Empty for a list that no browser would send. */
function requestedHeaders(requested: string): readonly string[] {
  const names = requested.split(',').map((name) => name.trim());
  if (requested.length > MAX_REQUESTED_LENGTH || !names.every((name) => HEADER_NAME.test(name))) return [];
  return names.filter((name) => !NEVER_ALLOWED.has(name.toLowerCase()) && !/^content-type$/i.test(name));
}
