import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the proxy treats a batch. */
export type Passage =
  | { readonly kind: 'open'; readonly afterMs?: number }
  /** The relay has it, and its answer is lost. */
  | { readonly kind: 'answer lost' }
  /** Nobody has it, and nobody says so. */
  | { readonly kind: 'hang' }
  /** The connection breaks as soon as it is made. */
  | { readonly kind: 'broken' }
  /** The proxy answers in the relay's place. */
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string;
    };

/** A batch that a page has sent. */
export type SeenBatch = {
  readonly at: number;
  readonly passage: Passage['kind'];
  /** The sessions its records were made in: one for each page load. */
  readonly sessions: readonly string[];
};

/** A proxy between the pages and the relay. It misbehaves to order, and lists what it has seen. */
export type FlakyProxy = {
  readonly url: string;
  /** How it treats batches from now on; `open` passes them on. */
  readonly order: (passage: Passage) => void;
  readonly seen: () => readonly SeenBatch[];
  /** How many requests have come that are no tracker's. */
  readonly bare: () => number;
  /** Opens it, and forgets what it has seen. Requests that still hang are broken off. */
  readonly reset: () => void;
  readonly stop: () => void;
};

/** Where a page without a tracker sends to. */
export const BARE_PATH = '/bare';

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function sessionsIn(body: string): readonly string[] {
  const { records } = JSON.parse(body) as { readonly records: readonly { readonly id: string }[] };
  return [...new Set(records.map(({ id }) => id.split('.')[0] ?? ''))];
}

/** Passes a request on. Answers with what carries it out, so that the answer can be lost in between. */
async function pass(to: string, request: IncomingMessage, body: string) {
  const { host, connection, 'content-length': _, ...headers } = request.headers;
  const answer = await fetch(`${to}${request.url}`, {
    method: request.method ?? 'GET',
    headers: headers as Record<string, string>,
    ...(body !== '' && { body }),
  });
  const text = await answer.text();
  const { 'content-encoding': __, 'content-length': ___, ...kept } = Object.fromEntries(answer.headers);
  return (response: ServerResponse) => {
    // Closed each time: Chromium resends by itself what was cut on a connection it had used before.
    response.writeHead(answer.status, { ...kept, Connection: 'close' });
    response.end(text);
  };
}

export async function startFlakyProxy(to: string): Promise<FlakyProxy> {
  let passage: Passage = { kind: 'open' };
  let seen: SeenBatch[] = [];
  let bare = 0;

  async function carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const on = passage;
    const body = await bodyOf(request);
    if (request.url === BARE_PATH) {
      bare += 1;
      return void response.writeHead(204).end();
    }
    if (request.method === 'POST')
      seen.push({ at: Date.now(), passage: on.kind, sessions: sessionsIn(body) });
    switch (on.kind) {
      case 'open':
        if (on.afterMs !== undefined) await new Promise((resolve) => setTimeout(resolve, on.afterMs));
        return (await pass(to, request, body))(response);
      case 'answer lost':
        await pass(to, request, body);
        return void request.socket.destroy();
      case 'hang':
        return;
      case 'broken':
        return void request.socket.destroy();
      case 'answered': {
        const cors = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Retry-After' };
        response.writeHead(on.status, { ...cors, ...on.headers, Connection: 'close' });
        response.end(on.body);
      }
    }
  }

  const server = createServer((request, response) => {
    // The page has gone in the midst of it, or the relay is down: to the page it is the same.
    carry(request, response).catch(() => request.socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    order: (order) => {
      passage = order;
    },
    seen: () => seen,
    bare: () => bare,
    reset: () => {
      passage = { kind: 'open' };
      seen = [];
      bare = 0;
      server.closeAllConnections();
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
