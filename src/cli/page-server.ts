import { once } from 'node:events';
import { createServer } from 'node:http';

/** Serves one page on this machine, at `/`. */
export async function servePage(html: string, port: number): Promise<{ readonly stop: () => void }> {
  const server = createServer((request, response) => {
    const isThere = new URL(request.url ?? '/', 'http://page').pathname === '/';
    response.writeHead(isThere ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8' });
    response.end(isThere ? html : '');
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
