/** The sites that may send, as they are set: read even where another setting is wrong. */
export function originsIn(text = ''): readonly string[] {
  return text
    .split(',')
    .map((origin) => origin.trim())
    .filter(Boolean);
}

/** The origins of ALLOWED_ORIGINS; undefined where there are none, or one of them can't be. */
export function parseOrigins(text: string): readonly string[] | undefined {
  const origins = originsIn(text);
  return origins.length > 0 && origins.every(isOriginPattern) ? origins : undefined;
}

/** The rule that a wrong ALLOWED_ORIGINS breaks. It names a wrong origin by its place in the list, and never its text. */
export function originsRule(text: string): string {
  const wrong = 1 + originsIn(text).findIndex((origin) => !isOriginPattern(origin));
  return wrong === 0
    ? 'must name the sites that may send, with commas, or be *'
    : `must hold origins as browsers write them, and number ${wrong} of its list is not one: https://shop.example.com, in lower case and punycode, without a path, a slash at the end, or the usual port; https://*.example.com; or an app's, as capacitor://localhost`;
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

/** A pattern for the sites below a host, and what it is made of: scheme and host. */
export const WILDCARD = /^(https?:\/\/)\*\.(.+)$/;

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
