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

/**
 * True for what ALLOWED_ORIGINS may hold: `*`, an origin as browsers and web views write it, or one of the web whose host
 * begins with `*.`.
 * Anything else would match nothing, and nobody would know why.
 */
export function isOriginPattern(text: string): boolean {
  if (text === '*') return true;
  const wildcard = WILDCARD.exec(text);
  if (wildcard === null) return isOrigin(text);
  const [, scheme = '', host = ''] = wildcard;
  // `https://*.com` would let in half the world. An IP address has nothing below it: with a name before it it is no host.
  return host.includes('.') && isOrigin(scheme + host) && isOrigin(`${scheme}sub.${host}`);
}

const WILDCARD = /^(https?:\/\/)\*\.(.+)$/;

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

function isOrigin(text: string): boolean {
  if (!/^https?:/.test(text)) return isAppOrigin(text);
  // A dot at the end makes it another origin to a browser, and no site's; a URL may hold a `*`, no host has one.
  const isWritten = !text.includes('*') && !/\.(:\d+)?$/.test(text);
  // Not `URL.parse`: Node has it only since 22, and `webengage-relay init` asks here on 20 too.
  return isWritten && URL.canParse(text) && new URL(text).origin === text;
}

// What web views and extensions write: `capacitor://localhost`, `tauri://localhost`, `app://-`, `chrome-extension://…`; and an
// older Android's web view `file://`. Such a host is written as the app has it, in capitals too.
const APP_ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[\w~.-]+(:\d+)?$/;

// Schemes that no page's origin has, and `https` misspelt: allowed, they would match nothing.
const NO_APP = /^(ftp|wss?|data|blob|about|javascript|[htps]+):/;

/** True for the origin of a page that comes from no web server. */
export function isAppOrigin(text: string): boolean {
  return text === 'file://' || (APP_ORIGIN.test(text) && !NO_APP.test(text));
}
