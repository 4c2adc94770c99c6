import { isAppOrigin } from '../settings/origin-pattern.ts';
import type { ServerToken } from '../settings/server-tokens.ts';
import type { RelaySettings } from '../settings/settings.ts';
import { showsToken } from './bearer.ts';
import { originAllowed } from './origin.ts';

/**
 * The sender of a batch: a page of an allowed origin, a server with a token of its own, or a sender that is refused.
 */
export type Sender =
  | { readonly kind: 'page' }
  /** `name` is the token's, for totals and the log. */
  | { readonly kind: 'server'; readonly name: string }
  | {
      readonly kind: 'refused';
      readonly code: 'origin_not_allowed' | 'invalid_token';
      readonly message: string;
    };

type Allowed = Pick<RelaySettings, 'allowedOrigins' | 'serverTokens'>;

/**
 * Identifies the sender by its headers. With an `Origin` the request is a page's, and its `Authorization` is
 * ignored: a page must never hold a server's token, and must gain nothing by sending it.
 */
export async function senderOf(headers: Headers, { allowedOrigins, serverTokens }: Allowed): Promise<Sender> {
  const origin = headers.get('Origin');
  const authorization = headers.get('Authorization');
  if (origin === null && authorization !== null) {
    const name = await nameOfToken(authorization, serverTokens);
    return name === undefined
      ? refused(
          'invalid_token',
          'the token is neither the SERVER_TOKEN of this relay nor one of its SERVER_TOKENS',
        )
      : { kind: 'server', name };
  }
  if (origin === null)
    return refused(
      'origin_not_allowed',
      'the request has no Origin: a server must send SERVER_TOKEN as Authorization: Bearer …',
    );
  if (!originAllowed(origin, allowedOrigins))
    return refused('origin_not_allowed', 'this origin may not send here: it is not in ALLOWED_ORIGINS');
  if (!isMadeByScript(headers, origin))
    return refused('origin_not_allowed', 'batches must be sent by a script, with fetch or sendBeacon');
  return { kind: 'page' };
}

/** The name of the token that is shown. All tokens are compared, so the time does not tell which one it is. */
async function nameOfToken(
  authorization: string,
  tokens: readonly ServerToken[],
): Promise<string | undefined> {
  const shown = await Promise.all(tokens.map(({ token }) => showsToken(authorization, token)));
  return tokens[shown.indexOf(true)]?.name;
}

const refused = (code: 'origin_not_allowed' | 'invalid_token', message: string): Sender => ({
  kind: 'refused',
  code,
  message,
});

// What browsers send for `fetch`, `sendBeacon` and `fetchLater` from pages and workers.
// https://w3c.github.io/webappsec-fetch-metadata/
const SAID_OF_SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  'Sec-Fetch-Site': ['cross-site', 'same-site', 'same-origin'],
  'Sec-Fetch-Mode': ['cors', 'no-cors', 'same-origin'],
  'Sec-Fetch-Dest': ['empty'],
};

/**
 * False if the browser states that no script made the request, such as for a submitted form or a typed
 * address. Without these headers, as over http and before 2023, it is true.
 */
function isMadeByScript(headers: Headers, origin: string): boolean {
  return Object.entries(SAID_OF_SCRIPTS).every(([name, good]) => {
    const said = headers.get(name);
    // Chromium sends `none` for requests of an extension's pages and workers, which belong to no site.
    const isApps = name === 'Sec-Fetch-Site' && said === 'none' && isAppOrigin(origin);
    return said === null || good.includes(said) || isApps;
  });
}
