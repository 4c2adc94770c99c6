import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ControlOrder } from '../../src/sandbox/control.ts';
import { type FakeAccount, fakeAccount } from './account.ts';

/** A call as it came over the network. */
type ServedCall = { readonly path: string; readonly body: string; readonly key: string };

export type ServedAccount = {
  readonly host: string;
  readonly account: FakeAccount;
  readonly calls: readonly ServedCall[];
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** Says what a call gets in place of the account's answer; `cut`: the connection is closed. */
export type Interception = (
  call: ServedCall,
  index: number,
) => { readonly status: number; readonly body: string } | 'cut' | undefined;

/** The sandbox's account behind a server on this machine. Its clock stands still, so no limit's minute ends. */
export async function servedAccount(
  order: ControlOrder = {},
  intercept: Interception = () => undefined,
): Promise<ServedAccount> {
  const account = fakeAccount(
    order,
    () => 1_000_000,
    () => 0,
  );
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
  const [, , , license = '', path = ''] = (request.url ?? '').split('/');
  const key = (request.headers.authorization ?? '').replace('Bearer ', '');
  return { path: `${license}/${path}`, body: Buffer.concat(chunks).toString(), key };
}

function answer(
  account: FakeAccount,
  { path, body, key }: ServedCall,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const [license = '', name = ''] = path.split('/');
  const requestId = String(request.headers['x-request-id'] ?? '');
  const kind = name === 'bulk-users' ? 'user' : 'event';
  const reply = name.startsWith('bulk-')
    ? account.call({ kind, requestId, body, key, license })
    : account.privacyRequest({ body, key });
  if (reply.cut) request.socket.destroy();
  else response.writeHead(reply.status, reply.headers).end(reply.body);
}
