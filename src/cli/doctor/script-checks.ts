import { bad, type Check, good, unsure } from './check.ts';
import { integrityOf, type Reply } from './probe.ts';

/** What this tool is of itself: a relay of the same version serves the same script. */
export type Own = { readonly version: string; readonly tracker: string | Buffer };

// A correction of the script reaches pages after this long.
const MAX_SCRIPT_AGE_S = 24 * 60 * 60;

/** Whether /tracker.js is the script of this relay, and served so that pages can use it. */
export function scriptOf(script: Reply, own: Own, relayVersion: string | undefined): readonly Check[] {
  const assets = 'assets.directory in wrangler.jsonc must be ./node_modules/webengage-relay/dist/public';
  if (!script.ok) return [bad('tracker', `/tracker.js does not answer (${script.code})`, 'try again')];
  const type = script.headers.get('Content-Type') ?? 'none';
  if (script.status !== 200) return [bad('tracker', `/tracker.js answers ${script.status}`, assets)];
  if (!/^(text|application)\/javascript\b/.test(type))
    return [bad('tracker', `/tracker.js is of the type ${type}, which no browser runs`, assets)];
  return [sameScript(script.body, own, relayVersion, assets), scriptHeaders(script.headers)];
}

function sameScript(body: string, own: Own, relayVersion: string | undefined, assets: string): Check {
  const integrity = integrityOf(body);
  if (integrity === integrityOf(own.tracker))
    return good('tracker', `/tracker.js is that of ${own.version}, integrity ${integrity}`);
  // Only of our own version do we know what it should be.
  if (relayVersion !== own.version)
    return unsure('tracker', `/tracker.js is another than that of ${own.version}`, 'see the version');
  return bad(
    'tracker',
    `/tracker.js is not that of ${own.version}: it is older, or something on its way changes it`,
    `${assets}; after a deploy, wait for five minutes; nothing may minify or rewrite it`,
  );
}

function scriptHeaders(headers: Headers): Check {
  const todo = 'deploy the file _headers beside it, and let no rule of the zone set others';
  const maxAge = Number(/max-age=(\d+)/.exec(headers.get('Cache-Control') ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(maxAge))
    return unsure(
      'tracker-headers',
      'nothing says how long /tracker.js may be kept: it is asked for anew each time',
      todo,
    );
  if (maxAge > MAX_SCRIPT_AGE_S)
    return unsure(
      'tracker-headers',
      `browsers keep /tracker.js for ${Math.round(maxAge / 3600)} hours`,
      todo,
    );
  if (headers.get('Access-Control-Allow-Origin') !== '*')
    return unsure('tracker-headers', '/tracker.js can have no integrity attribute: it lacks CORS', todo);
  if (headers.get('Cross-Origin-Resource-Policy') !== 'cross-origin')
    return unsure('tracker-headers', 'pages that isolate themselves (COEP) can not load /tracker.js', todo);
  return good('tracker-headers', `/tracker.js may be kept for ${maxAge} s, and loaded from any site`);
}
