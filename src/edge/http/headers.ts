/**
 * What every answer of the Worker says to a browser: it is no page, no frame and no script, it is this site's alone, and
 * it is not kept. The files beside it have headers of their own, in public/_headers.
 */
export const ANSWER_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  // Asked of none but who reads without CORS, as a tag does: a page that CORS lets in is let in.
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};
