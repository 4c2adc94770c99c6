import type { TrackerRecord } from '../../../src/contract/record.ts';
import { accepted } from '../platform.ts';

const base64url = (value: unknown) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value))))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');

/** A token with these claims. Its signature is for the relay to verify, and a played one does not. */
export const jwt = (claims: object): string => `${base64url({ alg: 'none' })}.${base64url(claims)}.signature`;

/** What a token says. */
export function claimsOf(token: string): { readonly cuid: string; readonly exp: number } {
  const payload = atob(token.split('.')[1]?.replace(/-/g, '+').replace(/_/g, '/') ?? '');
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(payload, (byte) => byte.charCodeAt(0))));
}

export const LIFE_MS = 900_000;

/** A site's endpoint for tokens: it answers as the script says, and then makes a token that lives a quarter of an hour. */
export function tokenEndpoint(
  serverNow: () => number,
  ...script: ((userId: string) => string | Promise<string>)[]
) {
  const asked: string[] = [];
  let underWay = 0;
  let most = 0;
  const made = (userId: string) => {
    const iat = Math.floor(serverNow() / 1000);
    return jwt({ cuid: userId, iat, exp: iat + LIFE_MS / 1000 });
  };
  const identityToken = async (userId: string) => {
    asked.push(userId);
    most = Math.max(most, ++underWay);
    try {
      return await (script.shift() ?? made)(userId);
    } finally {
      underWay--;
    }
  };
  return { asked, identityToken, made, script, most: () => most };
}

/**
 * A relay with `IDENTITY=required`, by the server's clock; `refuses` any token while it is told to. Of requests it keeps
 * those with records: an empty one asks for the time.
 */
export function strictRelay(serverNow: () => number) {
  const requests: {
    readonly url: string;
    readonly init: RequestInit;
    readonly token: string | undefined;
    readonly status: number;
    readonly records: readonly TrackerRecord[];
  }[] = [];
  const arrived = new Map<string, TrackerRecord>();
  const relay = { refuses: false };

  function statusOf(token: string | undefined, records: readonly TrackerRecord[]): number {
    const users = records.flatMap(({ userId }) => userId ?? []);
    if (users.length === 0) return 202;
    if (relay.refuses || !token) return 401;
    const { cuid, exp } = claimsOf(token);
    return exp * 1000 > serverNow() && users.every((user) => user === cuid) ? 202 : 401;
  }

  const fetch = async (url: string, init: RequestInit) => {
    const { token, records } = JSON.parse(String(init.body));
    const status = statusOf(token, records);
    const now = serverNow();
    if (records.length === 0)
      return Response.json({ error: { code: 'invalid_batch', message: '' }, now }, { status: 400 });
    requests.push({ url, init, token, status, records });
    if (status === 401)
      return Response.json({ error: { code: 'invalid_token', message: 'why' }, now }, { status });
    for (const record of records) if (!arrived.has(record.id)) arrived.set(record.id, record);
    return accepted(records, { now });
  };
  return Object.assign(relay, { requests, arrived, fetch: fetch as typeof globalThis.fetch });
}
