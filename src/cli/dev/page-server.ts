import { once } from 'node:events';
import { createServer } from 'node:http';

/** Serves one page on this machine, at `/`. */
export async function servePage(html: string, port: number): Promise<{ readonly stop: () => void }> {
  const server = createServer((request, response) => {
    // Not as a URL: `//` is asked for as well, and is none.
    const isThere = request.url?.split('?')[0] === '/';
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
