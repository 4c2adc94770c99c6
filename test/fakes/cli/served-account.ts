import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Reply } from '../../../src/sandbox/answer.ts';
import type { ControlOrder } from '../../../src/sandbox/control.ts';
import { type FakeAccount, fakeAccount } from '../account.ts';

/** A call as it came over the network. */
type ServedCall = { readonly path: string; readonly body: string; readonly key: string };

/** An account, and how to reach it. */
export type ReachedAccount = {
  readonly host: string;
  readonly fetch: typeof globalThis.fetch;
  readonly account: FakeAccount;
  readonly calls: readonly ServedCall[];
};

export type ServedAccount = ReachedAccount & AsyncDisposable;

/** Says what a call gets in place of the account's answer; `cut`: the connection is closed. */
export type Interception = (
  call: ServedCall,
  index: number,
) => { readonly status: number; readonly body: string } | 'cut' | undefined;

/** The sandbox's account. Its clock stands still, so no limit's minute ends. */
function stillAccount(order: ControlOrder = {}): FakeAccount {
  return fakeAccount(
    order,
    () => 1_000_000,
    () => 0,
  );
}

/** The account behind a server on this machine. */
export async function servedAccount(
  order: ControlOrder = {},
  intercept: Interception = () => undefined,
): Promise<ServedAccount> {
  const account = stillAccount(order);
  const calls: ServedCall[] = [];
  const server = createServer(async (request, response) => {
    const call = await readCall(request);
    calls.push(call);
    const intercepted = intercept(call, calls.length - 1);
    if (intercepted === 'cut') request.socket.destroy();
    else if (intercepted !== undefined)
      response.writeHead(intercepted.status, { 'Content-Type': 'text/html' }).end(intercepted.body);
    else answer(account, call, request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fetch: globalThis.fetch,
    account,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function readCall(request: IncomingMessage): Promise<ServedCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return callOf(request.url ?? '', request.headers.authorization ?? '', Buffer.concat(chunks).toString());
}

function callOf(pathname: string, authorization: string, body: string): ServedCall {
  const [, , , license = '', path = ''] = pathname.split('/');
  return { path: `${license}/${path}`, body, key: authorization.replace('Bearer ', '') };
}

function answer(
  account: FakeAccount,
  call: ServedCall,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const reply = replyTo(account, call, String(request.headers['x-request-id'] ?? ''));
  if (reply.cut) request.socket.destroy();
  else response.writeHead(reply.status, reply.headers).end(reply.body);
}

function replyTo(account: FakeAccount, { path, body, key }: ServedCall, requestId: string): Reply {
  const [license = '', name = ''] = path.split('/');
  const kind = name === 'bulk-users' ? 'user' : 'event';
  return name.startsWith('bulk-')
    ? account.call({ kind, requestId, body, key, license })
    : account.privacyRequest({ body, key });
}

/** The same account without a network, which is quick. A connection that is cut makes `fetch` reject. */
export function accountNearby(
  order: ControlOrder = {},
  intercept: Interception = () => undefined,
): ReachedAccount {
  const account = stillAccount(order);
  const calls: ServedCall[] = [];
  return {
    host: 'http://127.0.0.1:1',
    account,
    calls,
    fetch: async (url, init) => {
      const sent = new Headers(init?.headers);
      const { pathname } = new URL(String(url));
      const call = callOf(pathname, sent.get('Authorization') ?? '', String(init?.body));
      calls.push(call);
      const intercepted = intercept(call, calls.length - 1);
      const reply = intercepted ?? replyTo(account, call, sent.get('x-request-id') ?? '');
      if (reply === 'cut' || ('cut' in reply && reply.cut)) throw new TypeError('fetch failed');
      return new Response(reply.body, reply);
    },
  };
}
