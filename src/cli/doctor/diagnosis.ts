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
  return [
    good('reachable', `${url} answers, in ${Math.round(health.tookMs)} ms`),
    tls(url),
    healthOf(health),
    ...(version === undefined ? [] : [versionOf(version, own)]),
    ...scriptOf(script, own, version),
    site === undefined
      ? unsure('origin', 'no site was asked for', 'name one, as --origin https://shop.example.com')
      : siteOf(site.origin, site.reply),
    strangerOf(stranger),
    ...clock(health),
    ...(status === undefined ? [] : standing(status)),
  ];
}

function unreachable(url: string, code: string): Check {
  if (/CERT|TLS|SSL|SIGNATURE|SELF_SIGNED/.test(code))
    return bad(
      'tls',
      `${url} has no certificate that a browser would take (${code})`,
      'a new custom domain gets its own within minutes; else look at SSL/TLS in the dashboard of Cloudflare',
    );
  const todo =
    code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      ? 'there is no such name: is it deployed, and its custom domain set?'
      : 'is it deployed, and is this machine online?';
  return bad('reachable', `${url} does not answer (${code})`, todo);
}

function tls(url: string): Check {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:') return good('tls', 'its certificate is valid');
  return isLocal(hostname)
    ? unsure('tls', 'there is no TLS', 'nothing to do on this machine; a page of the web needs https')
    : bad('tls', 'there is no TLS: no page on https may send there', `use ${url.replace('http:', 'https:')}`);
}

/** Whether a secret may go there: over TLS, or not off this machine. */
export function isPrivate(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || isLocal(hostname);
}

const isLocal = (hostname: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);

function healthOf({ status, headers, body }: Answered): Check {
  const message = messageIn(body);
  if (status === 200 && stringIn(body, 'status') === 'ok')
    return good('health', '/health has nothing to complain of');
  if (status === 503 && message !== undefined)
    return bad('health', `/health: ${message}`, todoAbout(message));
  if (status >= 300 && status < 400)
    return bad(
      'health',
      `/health leads elsewhere, to ${headers.get('Location') ?? 'nowhere'}`,
      'let it through: browsers and trackers can sign in nowhere (Cloudflare Access, a redirect rule?)',
    );
  return bad(
    'health',
    `/health answers ${status}, and not in the words of a relay`,
    'is it the right address, and is the relay what is deployed there?',
  );
}

/** By the setting that a message of the relay names. */
function todoAbout(message: string): string {
  const [setting] = /\b[A-Z]{2,}(_[A-Z]+)+\b/.exec(message) ?? [];
  if (setting === undefined) return 'look at its log: npx wrangler tail';
  return /_KEY|_TOKEN/.test(setting)
    ? `npx wrangler secret put ${setting}, or what else it names in wrangler.jsonc and npx wrangler deploy`
    : `set ${setting} in wrangler.jsonc, and npx wrangler deploy`;
}

function versionOf(relay: string, own: Own): Check {
  return relay === own.version
    ? good('version', `relay and tool are both ${relay}`)
    : unsure(
        'version',
        `the relay is ${relay}, this tool ${own.version}`,
        `npx webengage-relay@${relay} doctor knows it better; or npm install webengage-relay@${own.version} and npx wrangler deploy`,
      );
}

function siteOf(origin: string, reply: Reply): Check {
  if (!reply.ok) return bad('origin', `/v1/batch does not answer (${reply.code})`, 'try again');
  const code = codeIn(reply.body);
  const named = reply.headers.get('Access-Control-Allow-Origin');
  const readable = named === origin || named === '*';
  if (reply.status === 400 && code === 'invalid_batch' && readable)
    return good('origin', `pages of ${origin} may send, and read the answer`);
  if (code === 'origin_not_allowed')
    return bad(
      'origin',
      `pages of ${origin} may not send`,
      'add it to ALLOWED_ORIGINS in wrangler.jsonc, as browsers write it, and npx wrangler deploy',
    );
  if (code === 'invalid_batch')
    return bad(
      'origin',
      `pages of ${origin} can not read the answer: it lacks CORS`,
      'something on the way takes headers off: look at the rules of the zone',
    );
  if (code === 'unavailable' || code === 'rate_limited')
    return unsure(
      'origin',
      `/v1/batch: ${messageIn(reply.body) ?? code}`,
      'try again once that is put right',
    );
  return bad('origin', `/v1/batch answers ${reply.status}, and not in the words of a relay`, 'see /health');
}

function strangerOf(reply: Reply): Check {
  const code = reply.ok ? codeIn(reply.body) : undefined;
  if (code === 'origin_not_allowed') return good('strangers', 'sites that are not allowed are refused');
  if (code === 'invalid_batch')
    return unsure(
      'strangers',
      'any site may send: ALLOWED_ORIGINS is *',
      'name your sites there, unless it is meant',
    );
  return unsure(
    'strangers',
    'nobody can tell whether other sites are refused',
    'try again once the rest is put right',
  );
}

function clock({ headers, at }: Answered): readonly Check[] {
  const theirs = Date.parse(headers.get('Date') ?? '');
  if (Number.isNaN(theirs)) return [];
  const offMs = Math.abs(theirs - at);
  return [
    offMs <= TOLERATED_SKEW_MS
      ? good('clock', 'its clock and that of this machine agree')
      : unsure(
          'clock',
          `its clock and that of this machine differ by ${Math.round(offMs / 1000)} s`,
          "it is most likely this machine's",
        ),
  ];
}
