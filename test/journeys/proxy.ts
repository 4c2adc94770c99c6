import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Stands before the relay, and does something to the sender once it has passed on some requests. */
export async function startProxy(relayUrl: string, after: number, strike: () => void) {
  let requests = 0;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const answer = await fetch(`${relayUrl}${request.url}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: request.headers.authorization ?? '',
      },
      body,
    });
    const answered = await answer.text();
    requests += 1;
    if (requests === after) strike();
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(answered);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
