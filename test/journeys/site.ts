import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answered = {
  readonly type: 'text/html' | 'text/javascript' | 'text/css';
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A site of this machine, for pages that a test makes up as it goes. What has no answer is not found. */
export async function serveSite(
  answer: (path: string) => Answered | undefined,
): Promise<{ readonly url: string; readonly stop: () => void }> {
  const server = createServer((request, response) => {
    const answered = answer(request.url ?? '/');
    if (answered === undefined) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': `${answered.type};charset=utf-8`, ...answered.headers });
    return response.end(answered.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
