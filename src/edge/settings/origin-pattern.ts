/** The configured origins, not validated, so that answers have CORS headers even if another setting is wrong. */
export function originsIn(text = ''): readonly string[] {
  return text
    .split(',')
    .map((origin) => origin.trim())
    .filter(Boolean);
}

/** The origins in ALLOWED_ORIGINS. Returns undefined if the list is empty or one of them is invalid. */
export function parseOrigins(text: string): readonly string[] | undefined {
  const origins = originsIn(text);
  return origins.length > 0 && origins.every(isOriginPattern) ? origins : undefined;
}

/** The rule that a wrong ALLOWED_ORIGINS breaks. It gives a wrong origin's position in the list, never its text. */
export function originsRule(text: string): string {
  const wrong = 1 + originsIn(text).findIndex((origin) => !isOriginPattern(origin));
  return wrong === 0
    ? 'must list the sites that may send, separated by commas, or be *'
    : `must list origins as browsers write them, and entry ${wrong} is not one. Write https://shop.example.com, in lower case and punycode, without a path, trailing slash or default port; https://*.example.com; or an app's origin such as capacitor://localhost`;
}

/**
 * True for a valid entry of ALLOWED_ORIGINS. It is `*`, an origin in the form that browsers and web views
 * send, or a web origin whose host begins with `*.`.
 * Anything else would match nothing, with no hint why.
 */
export function isOriginPattern(text: string): boolean {
  if (text === '*') return true;
  const wildcard = WILDCARD.exec(text);
  if (wildcard === null) return isOrigin(text);
  const [, scheme = '', host = ''] = wildcard;
  // `https://*.com` would allow half the world. An IP address has no subdomains: with a label in front it is invalid.
  return host.includes('.') && isOrigin(scheme + host) && isOrigin(`${scheme}sub.${host}`);
}

/** A pattern for the sites below a host. It captures the scheme and the host. */
export const WILDCARD = /^(https?:\/\/)\*\.(.+)$/;

function isOrigin(text: string): boolean {
  if (!/^https?:/.test(text)) return isAppOrigin(text);
  // To a browser, a trailing dot makes another origin, which no site has. `URL` accepts a `*`, but no host has one.
  const isWritten = !text.includes('*') && !/\.(:\d+)?$/.test(text);
  // Not `URL.parse`: Node has it only since 22, and `webengage-relay init` calls this on Node 20 too.
  return isWritten && URL.canParse(text) && new URL(text).origin === text;
}

// Origins of web views and extensions: `capacitor://localhost`, `tauri://localhost`, `app://-`,
// `chrome-extension://…`. Older Android web views send `file://`. Such hosts keep the app's spelling,
// including capitals.
const APP_ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[\w~.-]+(:\d+)?$/;

// Schemes that no page's origin has, and misspellings of `https`. If allowed, they would match nothing.
const NO_APP = /^(ftp|wss?|data|blob|about|javascript|[htps]+):/;

/** True for the origin of a page that does not come from a web server. */
export function isAppOrigin(text: string): boolean {
  return text === 'file://' || (APP_ORIGIN.test(text) && !NO_APP.test(text));
}
