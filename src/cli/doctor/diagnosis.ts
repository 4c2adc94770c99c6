import { isLocal } from '../address.ts';
import { bad, type Check, good, unsure } from './check.ts';
import type { Probe, Reply } from './probe.ts';
import { codeIn, messageIn, stringIn } from './response-body.ts';
import { type Own, scriptOf } from './script-checks.ts';
import { standing } from './status-checks.ts';

type Answered = Extract<Reply, { ok: true }>;

// The Date header is of whole seconds, and the network takes its time.
const TOLERATED_SKEW_MS = 60_000;

/** What is right and what is wrong with a relay, by what it answered; what to do first stands first. */
export function diagnose(probe: Probe, own: Own): readonly Check[] {
  const { health, script, site, stranger, status, url } = probe;
  if (!health.ok) return [unreachable(url, health.code)];
  const version = stringIn(health.body, 'version');
  const isHere = isLocal(new URL(url).hostname);
  return [
    good('reachable', `${url} answers, in ${Math.round(health.tookMs)} ms`),
    tls(url),
    healthOf(health, url),
    ...(version === undefined ? [] : [versionOf(version, own)]),
    ...scriptOf(script, own, { version, isRelay: isRelays(health) }),
    site === undefined
      ? unsure('origin', 'no site was checked', 'name one with --origin https://shop.example.com')
      : siteOf(site.origin, site.reply, isHere),
    strangerOf(stranger, isHere),
    ...clock(health),
    ...(status === undefined ? [] : standing(status, isHere)),
  ];
}

function unreachable(url: string, code: string): Check {
  if (/CERT|TLS|SSL|SIGNATURE|SELF_SIGNED/.test(code))
    return bad(
      'tls',
      `${url} has no certificate that browsers accept (${code})`,
      'wait a few minutes if the custom domain is new; otherwise check SSL/TLS in the Cloudflare dashboard',
    );
  if (isLocal(new URL(url).hostname))
    return bad(
      'reachable',
      `${url} does not answer (${code})`,
      'start it with npx webengage-relay dev, and check its port',
    );
  const todo =
    code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      ? 'the host name does not exist: check that the relay is deployed and its custom domain is set'
      : 'check that the relay is deployed and that this machine is online';
  return bad('reachable', `${url} does not answer (${code})`, todo);
}

function tls(url: string): Check {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:') return good('tls', 'the certificate is valid');
  return isLocal(hostname)
    ? unsure('tls', 'there is no TLS', 'fine on this machine; public pages need https')
    : bad(
        'tls',
        "there is no TLS, so pages on https can't send there",
        `use ${url.replace('http:', 'https:')}`,
      );
}

/** Whether /health answers as a relay does, well or not. */
function isRelays({ status, body }: Answered): boolean {
  return (
    (status === 200 && stringIn(body, 'status') === 'ok') || (status === 503 && messageIn(body) !== undefined)
  );
}

function healthOf({ status, headers, body }: Answered, url: string): Check {
  const message = messageIn(body);
  if (status === 200 && stringIn(body, 'status') === 'ok')
    return good('health', '/health reports no problem');
  if (status === 503 && message !== undefined)
    return bad('health', `/health: ${message}`, todoAbout(message));
  if (status >= 300 && status < 400)
    return bad(
      'health',
      `/health redirects to ${headers.get('Location') ?? 'an unknown address'}`,
      "exempt the relay from Cloudflare Access and redirect rules: trackers can't sign in or follow redirects",
    );
  return bad('health', `/health answers ${status}, but not as a relay does`, todoAboutAddress(url));
}

function todoAboutAddress(url: string): string {
  const { hostname, pathname, origin } = new URL(url);
  if (pathname !== '/') return `leave out the path: ${origin}`;
  return isLocal(hostname)
    ? 'check the port: npx webengage-relay dev prints it'
    : 'check the address, and that the relay is deployed there';
}

/** By the setting or binding that a message of the relay names. */
function todoAbout(message: string): string {
  if (/\b(OUTBOX|RATE_GATE)\b/.test(message))
    return 'compare durable_objects, migrations and compatibility_date in wrangler.jsonc with node_modules/webengage-relay/wrangler.jsonc, and run npx wrangler deploy';
  const [setting] = /\b[A-Z]{2,}(_[A-Z]+)+\b/.exec(message) ?? [];
  if (setting === undefined) return 'read its log with npx wrangler tail';
  return /_KEY|_TOKEN/.test(setting)
    ? `run npx wrangler secret put ${setting}, or change the other setting it names in wrangler.jsonc and run npx wrangler deploy`
    : `set ${setting} in wrangler.jsonc, and run npx wrangler deploy`;
}

function versionOf(relay: string, own: Own): Check {
  return relay === own.version
    ? good('version', `the relay and this tool are both ${relay}`)
    : unsure(
        'version',
        `the relay is ${relay}, this tool is ${own.version}`,
        `use npx webengage-relay@${relay} doctor, or upgrade the relay: npm install webengage-relay@${own.version}, then npx wrangler deploy`,
      );
}

function siteOf(origin: string, reply: Reply, isHere: boolean): Check {
  if (!reply.ok) return bad('origin', `/v1/batch does not answer (${reply.code})`, 'try again');
  const code = codeIn(reply.body);
  const named = reply.headers.get('Access-Control-Allow-Origin');
  const readable = named === origin || named === '*';
  if (reply.status === 400 && code === 'invalid_batch' && readable)
    return good('origin', `pages of ${origin} may send and can read the answer`);
  if (code === 'origin_not_allowed')
    return bad(
      'origin',
      `pages of ${origin} may not send`,
      isHere
        ? `restart npx webengage-relay dev with --origins ${origin}`
        : 'add it to ALLOWED_ORIGINS in wrangler.jsonc, as browsers write it, and run npx wrangler deploy',
    );
  if (code === 'invalid_batch')
    return bad(
      'origin',
      `pages of ${origin} can't read the answer: it lacks CORS headers`,
      'something between removes headers: check the rules of the zone',
    );
  if (code === 'unavailable' || code === 'rate_limited')
    return unsure('origin', `/v1/batch: ${messageIn(reply.body) ?? code}`, 'try again once that is fixed');
  return bad('origin', `/v1/batch answers ${reply.status}, but not as a relay does`, 'see /health');
}

function strangerOf(reply: Reply, isHere: boolean): Check {
  const code = reply.ok ? codeIn(reply.body) : undefined;
  if (code === 'origin_not_allowed') return good('strangers', 'sites that are not allowed are refused');
  if (code === 'invalid_batch')
    return unsure(
      'strangers',
      'any site may send: ALLOWED_ORIGINS is *',
      isHere
        ? 'fine on this machine; to restrict it, restart npx webengage-relay dev with --origins'
        : 'list your sites there, unless this is intended',
    );
  return unsure(
    'strangers',
    'could not check whether other sites are refused',
    'try again once the rest is fixed',
  );
}

function clock({ headers, at }: Answered): readonly Check[] {
  const theirs = Date.parse(headers.get('Date') ?? '');
  if (Number.isNaN(theirs)) return [];
  const offMs = Math.abs(theirs - at);
  return [
    offMs <= TOLERATED_SKEW_MS
      ? good('clock', 'the clocks of the relay and this machine agree')
      : unsure(
          'clock',
          `the clocks of the relay and this machine differ by ${Math.round(offMs / 1000)} s`,
          "most likely this machine's clock is wrong",
        ),
  ];
}
