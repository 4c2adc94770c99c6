import { createHash } from 'node:crypto';
import { VERSION } from '../../contract/version.ts';

/** What came back to one request. */
export type Reply =
  | {
      readonly ok: true;
      readonly status: number;
      readonly headers: Headers;
      readonly body: string;
      /** By our clock: between asking and the answer's beginning. */
      readonly at: number;
      readonly tookMs: number;
    }
  /** There was none; `code` is the system's own word for why: `ENOTFOUND`, `CERT_HAS_EXPIRED`, `TimeoutError`. */
  | { readonly ok: false; readonly code: string };

/** All that a relay was asked, and what it answered. */
export type Probe = {
  readonly url: string;
  readonly health: Reply;
  readonly script: Reply;
  /** To an empty batch of the site's; undefined where none was named. */
  readonly site: { readonly origin: string; readonly reply: Reply } | undefined;
  /** To an empty batch of a site that nobody has. */
  readonly stranger: Reply;
  /** To the question how it stands; undefined where there was no token, or no safe way for one. */
  readonly status: Reply | undefined;
};

// RFC 2606 keeps this name from ever being anybody's.
const STRANGER = 'https://doctor.invalid';

const TIMEOUT_MS = 10_000;

/** Asks a relay all there is to know. It never sends a record: the batch is one that every relay refuses. */
export async function probe(
  url: string,
  { origin, adminToken }: { readonly origin: string | undefined; readonly adminToken: string | undefined },
): Promise<Probe> {
  const empty = (from: string) =>
    request(`${url}/v1/batch`, {
      method: 'POST',
      body: '{}',
      headers: { Origin: from, 'Content-Type': 'text/plain;charset=UTF-8' },
    });
  const [health, script, site, stranger, status] = await Promise.all([
    request(`${url}/health`),
    request(`${url}/tracker.js`),
    origin === undefined ? undefined : empty(origin).then((reply) => ({ origin, reply })),
    empty(STRANGER),
    adminToken === undefined
      ? undefined
      : request(`${url}/admin/status`, { headers: { Authorization: `Bearer ${adminToken}` } }),
  ]);
  return { url, health, script, site, stranger, status };
}

async function request(
  url: string,
  init: RequestInit & { headers?: Record<string, string> } = {},
): Promise<Reply> {
  const sentAt = Date.now();
  try {
    const response = await fetch(url, {
      ...init,
      headers: { 'User-Agent': `webengage-relay-doctor/${VERSION}`, ...init.headers },
      // What it leads to is not the relay; and the token goes nowhere else.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const tookMs = Date.now() - sentAt;
    const { status, headers } = response;
    return { ok: true, status, headers, body: await response.text(), at: sentAt + tookMs / 2, tookMs };
  } catch (error) {
    return { ok: false, code: codeOf(error) };
  }
}

/** `fetch` says only that it failed; the system's word for why is in the cause. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { cause } = error;
  if (cause instanceof Error)
    return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
  return error.name;
}

/** As pages write it in `integrity`. */
export function integrityOf(script: string | Buffer): string {
  return `sha384-${createHash('sha384').update(script).digest('base64')}`;
}
