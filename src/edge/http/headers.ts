/**
 * Headers of every answer of the Worker. They keep browsers from using it as a page, frame or script, from
 * sharing it with other sites, and from caching it. Static files have their own headers in public/_headers.
 */
export const ANSWER_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  // Browsers check this only for requests without CORS, such as a tag's. It does not affect pages that CORS allows.
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};
