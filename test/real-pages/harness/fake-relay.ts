import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { issuesOf, readBatch, type WireBatch, type WireRecord } from './wire.ts';

/** A request for /v1/batch as it came in. `batch` is missing where the body is none. */
type SeenRequest = {
  readonly at: number;
  readonly origin: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly batch: WireBatch | undefined;
};

/** What becomes of a request. What is left out is as on a good day. */
type Behaviour = {
  readonly afterMs?: number;
  readonly what?:
    | 'take'
    /** The connection breaks, and nobody has the records. */
    | 'drop'
    /** The relay has the records, and its answer is lost. */
    | 'lose answer'
    /** Nobody ever answers. */
    | 'hang'
    /** Somebody else answers in the relay's place. */
    | {
        readonly status: number;
        readonly body: string;
        readonly headers?: Readonly<Record<string, string>>;
      };
  /** Passes the request on with another body. */
  readonly body?: string;
};

/** A record that the relay has taken, and the request that brought it. */
type Taken = { readonly device: string; readonly record: WireRecord; readonly batch: WireBatch };

/** Answers for a path that is not the relay's own: the endpoint may be the page's own origin. */
type Elsewhere = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export type FakeRelay = {
  readonly url: string;
  /** Decides about each request from now on; undefined is a good day. */
  readonly behave: (decide: (request: SeenRequest) => Behaviour | undefined) => void;
  /** Serves pages too, so that page and relay have one origin. */
  readonly servePages: (elsewhere: Elsewhere) => void;
  readonly requests: () => readonly SeenRequest[];
  /** Each record once, in the order in which they were taken. */
  readonly taken: () => readonly Taken[];
  readonly events: () => readonly WireRecord[];
  readonly users: () => readonly WireRecord[];
  readonly names: () => readonly string[];
  /** Who an event belongs to: a user's id, or `anonymous <id>`. Throws where it has not come, or came twice. */
  readonly ownerOf: (eventName: string) => string;
  /** Events of one name and one data that were taken as two. */
  readonly doubled: () => readonly string[];
  /** How many records came again, and were known. */
  readonly duplicates: () => number;
  readonly devices: () => readonly string[];
  /** The most requests that were under way at one time. */
  readonly mostAtOnce: () => number;
  /** Resolves once these events are here, each by its name. */
  readonly have: (names: readonly string[], withinMs?: number) => Promise<void>;
  readonly stop: () => void;
};

const SCRIPTS = ['tracker.js', 'tracker.full.js', 'service-worker.js', 'page-views.js'];

const LOOK_EVERY_MS = 15;

function corsHeaders(request: IncomingMessage): Record<string, string> {
  return {
    'Access-Control-Allow-Origin': request.headers.origin ?? '*',
    'Access-Control-Expose-Headers': 'Retry-After',
    Vary: 'Origin',
  };
}

/** As the second edition of the relay has it: what a browser asks for, it may send; credentials never. */
function preflightHeaders(request: IncomingMessage): Record<string, string> {
  return {
    'Access-Control-Allow-Methods': 'POST',
    'Access-Control-Allow-Headers': String(
      request.headers['access-control-request-headers'] ?? 'Content-Type',
    ),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const visitorOf = ({ userId, anonymousId }: WireRecord) => userId ?? `anonymous ${anonymousId}`;

/** What the relay keeps: each record once, by its device and its id. */
function ledger() {
  const known = new Set<string>();
  const taken: Taken[] = [];
  let duplicates = 0;

  /** The relay's answer to a batch that is one. */
  function take(batch: WireBatch) {
    const rejected: { id: string; issues: unknown }[] = [];
    let accepted = 0;
    let again = 0;
    for (const record of batch.records) {
      const issues = issuesOf(record);
      const key = `${batch.device} ${record?.id}`;
      if (issues.length > 0) rejected.push({ id: String(record?.id), issues });
      else if (known.has(key)) again += 1;
      else {
        known.add(key);
        taken.push({ device: batch.device, record, batch });
        accepted += 1;
      }
    }
    duplicates += again;
    return { response: { status: 'queued' }, accepted, duplicates: again, rejected, repaired: [] };
  }
  return { take, taken, duplicates: () => duplicates };
}

/** The answer of a good day, whoever gives it. */
async function answerOf(
  seen: SeenRequest,
  take: (batch: WireBatch) => object,
  through: string | undefined,
): Promise<{ status: number; headers: Record<string, string>; text: string }> {
  const json = { 'Content-Type': 'application/json' };
  const read = readBatch(seen.body);
  if (through !== undefined) {
    if ('records' in read) take(read);
    const answer = await fetch(`${through}/v1/batch`, {
      method: 'POST',
      headers: { Origin: seen.origin ?? '', 'Content-Type': String(seen.headers['content-type']) },
      body: seen.body,
    });
    const retryAfter = answer.headers.get('Retry-After');
    const headers = { ...json, ...(retryAfter !== null && { 'Retry-After': retryAfter }) };
    return { status: answer.status, headers, text: await answer.text() };
  }
  const [status, body] = 'records' in read ? [202, take(read)] : [400, { error: read }];
  return { status, headers: json, text: JSON.stringify({ ...body, now: Date.now() }) };
}

/**
 * A fake relay on an origin of its own, in this process. It serves the scripts, keeps what it takes, and misbehaves to order.
 *
 * @param through the real relay, which then answers on good days
 */
export async function startFakeRelay(through?: string): Promise<FakeRelay> {
  const { take, taken, duplicates } = ledger();
  const requests: SeenRequest[] = [];
  let decide: (request: SeenRequest) => Behaviour | undefined = () => undefined;
  let elsewhere: Elsewhere = (_, response) => void response.writeHead(404).end();
  let underWay = 0;
  let mostAtOnce = 0;

  async function post(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const read = readBatch(body);
    const { origin } = request.headers;
    const batch = 'records' in read ? read : undefined;
    const seen: SeenRequest = { at: Date.now(), origin, headers: request.headers, body, batch };
    requests.push(seen);
    const { afterMs = 0, what = 'take', body: other = body } = decide(seen) ?? {};
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    if (what === 'hang') return;
    if (what === 'drop') return void request.socket.destroy();
    if (typeof what === 'object') {
      response.writeHead(what.status, {
        ...corsHeaders(request),
        'Content-Type': 'text/html',
        ...what.headers,
      });
      return void response.end(what.body);
    }
    const answer = await answerOf({ ...seen, body: other }, take, through);
    // Chromium resends by itself what was cut on a connection that it had used before.
    if (what === 'lose answer') return void request.socket.destroy();
    response.writeHead(answer.status, { ...answer.headers, ...corsHeaders(request), Connection: 'close' });
    response.end(answer.text);
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (path === '/v1/batch' && request.method === 'OPTIONS')
      return void response.writeHead(204, { ...corsHeaders(request), ...preflightHeaders(request) }).end();
    if (path === '/v1/batch') {
      underWay += 1;
      mostAtOnce = Math.max(mostAtOnce, underWay);
      response.once('close', () => {
        underWay -= 1;
      });
      return post(request, response);
    }
    const script = SCRIPTS.find((name) => path === `/${name}`);
    if (script === undefined) return elsewhere(request, response);
    response.writeHead(200, { 'Content-Type': 'text/javascript', 'Access-Control-Allow-Origin': '*' });
    response.end(await readFile(`dist/${script}`));
  }

  const server = createServer((request, response) => {
    // The page has gone in the midst of it, or a script is not built: to the page it is a broken connection.
    handle(request, response).catch(() => request.socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const records = () => taken.map(({ record }) => record);
  const events = () => records().filter(({ kind }) => kind === 'event');
  const names = () => events().map(({ eventName }) => String(eventName));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    behave: (next) => {
      decide = next;
    },
    servePages: (next) => {
      elsewhere = next;
    },
    requests: () => requests,
    taken: () => taken,
    events,
    users: () => records().filter(({ kind }) => kind === 'user'),
    names,
    ownerOf: (eventName) => {
      const those = events().filter((event) => event.eventName === eventName);
      const [only] = those;
      if (only === undefined || those.length > 1) throw new Error(`${eventName} came ${those.length} times`);
      return visitorOf(only);
    },
    doubled: () => {
      const texts = events().map(({ eventName, eventData }) => `${eventName} ${JSON.stringify(eventData)}`);
      return texts.filter((text, index) => texts.indexOf(text) !== index);
    },
    duplicates,
    devices: () => [...new Set(taken.map(({ device }) => device))],
    mostAtOnce: () => mostAtOnce,
    have: async (wanted, withinMs = 8_000) => {
      const missing = () => wanted.filter((name) => !names().includes(name));
      const giveUpAt = Date.now() + withinMs;
      while (missing().length > 0 && Date.now() < giveUpAt)
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      expect(missing()).toEqual([]);
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
