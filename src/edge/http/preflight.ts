// How long a browser may remember a preflight's answer; browsers cut it to two hours or less.
const MAX_AGE_S = 7_200;

// Enough for what wrappers around `fetch` add; an answer is not to be as long as somebody likes.
const MAX_ASKED_LENGTH = 1_000;

// A header's name, as HTTP has it. https://www.rfc-editor.org/rfc/rfc9110#name-tokens
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

// A page must never hold the servers' token, and the relay never asks a browser to send credentials. `*` would allow all.
const NEVER_ALLOWED: ReadonlySet<string> = new Set(['*', 'authorization', 'cookie', 'proxy-authorization']);

/**
 * The answer to a preflight of an allowed origin: a page may post, with the headers that its browser asks for. The page may
 * have put its own around every `fetch`; the relay looks at none of them.
 *
 * @param asked `Access-Control-Request-Headers`
 */
export function preflight(asked: string | null): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': ['Content-Type', ...askedHeaders(asked ?? '')].join(', '),
      'Access-Control-Max-Age': String(MAX_AGE_S),
    },
  });
}

/** The names in the list, but for what is always or never allowed; none of a list that no browser writes. */
function askedHeaders(asked: string): readonly string[] {
  const names = asked.split(',').map((name) => name.trim());
  if (asked.length > MAX_ASKED_LENGTH || !names.every((name) => HEADER_NAME.test(name))) return [];
  return names.filter((name) => !NEVER_ALLOWED.has(name.toLowerCase()) && !/^content-type$/i.test(name));
}
