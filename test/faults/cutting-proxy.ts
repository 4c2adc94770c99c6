import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A way to the relay that may break after the relay has answered. */
export type CuttingProxy = {
  readonly url: string;
  /** From now on answers are lost, or not any more. */
  readonly cut: (cutting: boolean) => void;
  /** How many answers were lost: the relay had stored the records of each. */
  readonly lost: () => number;
  readonly stop: () => void;
};

export async function cuttingProxy(to: string): Promise<CuttingProxy> {
  let cutting = false;
  let lost = 0;
  const server = createServer(async (request, response) => {
    const { host, connection, 'content-length': _, ...headers } = request.headers;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = await fetch(`${to}${request.url}`, {
      method: request.method ?? 'GET',
      headers: headers as Record<string, string>,
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    });
    const text = await answer.text();
    if (cutting) {
      if (answer.ok && request.method === 'POST') lost++;
      request.socket.destroy();
      return;
    }
    const { 'content-encoding': __, 'content-length': ___, ...kept } = Object.fromEntries(answer.headers);
    // Closed each time: Chromium resends by itself what was cut on a connection it had used before.
    response.writeHead(answer.status, { ...kept, Connection: 'close' });
    response.end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    cut: (order) => {
      cutting = order;
    },
    lost: () => lost,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
