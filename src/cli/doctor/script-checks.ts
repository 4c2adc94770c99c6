import { bad, type Check, good, unsure } from './check.ts';
import { integrityOf, type Reply } from './probe.ts';

/** What this tool is of itself: a relay of the same version serves the same script. */
export type Own = { readonly version: string; readonly tracker: string | Buffer };

/** What /health has shown. */
type Relay = {
  readonly version: string | undefined;
  /** Something else may answer at the address. */
  readonly isRelay: boolean;
};

// A correction of the script reaches pages after this long.
const MAX_SCRIPT_AGE_S = 24 * 60 * 60;

/** Whether /tracker.js is the script of this relay, and served so that pages can use it. */
export function scriptOf(script: Reply, own: Own, relay: Relay): readonly Check[] {
  const assets = !relay.isRelay
    ? 'see /health'
    : 'assets.directory in wrangler.jsonc must be ./node_modules/webengage-relay/dist/public';
  if (!script.ok) return [bad('tracker', `/tracker.js does not answer (${script.code})`, 'try again')];
  const type = script.headers.get('Content-Type') ?? 'none';
  if (script.status !== 200) return [bad('tracker', `/tracker.js answers ${script.status}`, assets)];
  if (!/^(text|application)\/javascript\b/.test(type))
    return [bad('tracker', `/tracker.js has the type ${type}, which no browser runs`, assets)];
  return [sameScript(script.body, own, relay.version, assets), scriptHeaders(script.headers)];
}

function sameScript(body: string, own: Own, relayVersion: string | undefined, assets: string): Check {
  const integrity = integrityOf(body);
  if (integrity === integrityOf(own.tracker))
    return good('tracker', `/tracker.js is from version ${own.version}, integrity ${integrity}`);
  // Only of our own version do we know what it should be.
  if (relayVersion !== own.version)
    return unsure(
      'tracker',
      `/tracker.js differs from that of version ${own.version}`,
      'see the version above',
    );
  return bad(
    'tracker',
    `/tracker.js differs from that of version ${own.version}: it is older, or something between changes it`,
    `${assets}; wait five minutes after a deploy; turn off whatever minifies or rewrites it`,
  );
}

function scriptHeaders(headers: Headers): Check {
  const todo = 'deploy the file _headers beside it, and remove zone rules that set other headers';
  const maxAge = Number(/max-age=(\d+)/.exec(headers.get('Cache-Control') ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(maxAge))
    return unsure('tracker-headers', '/tracker.js has no max-age, so browsers load it again each time', todo);
  if (maxAge > MAX_SCRIPT_AGE_S)
    return unsure(
      'tracker-headers',
      `browsers keep /tracker.js for ${Math.round(maxAge / 3600)} hours`,
      todo,
    );
  if (headers.get('Access-Control-Allow-Origin') !== '*')
    return unsure(
      'tracker-headers',
      "pages can't use /tracker.js with an integrity attribute: it lacks CORS headers",
      todo,
    );
  if (headers.get('Cross-Origin-Resource-Policy') !== 'cross-origin')
    return unsure('tracker-headers', "pages with COEP can't load /tracker.js", todo);
  return good('tracker-headers', `/tracker.js may be cached for ${maxAge} s and loaded from any site`);
}
