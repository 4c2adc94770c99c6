import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';

export type ShopOptions = {
  readonly port: number;
  readonly relayUrl: string;
  readonly sandboxUrl: string;
  /** Opens the relay's `/admin/status`. Stays on the server: the page asks here. */
  readonly adminToken: string;
};

const ROOT = fileURLToPath(new URL('..', import.meta.url));

// The shop's own files, and what it shares with the sandbox's page. A page's relative imports are the same on disk.
const FILE = /^\/((?:src|dist\/modules)\/ui\/)?((?:live\/)?[\w-]+)\.(css|js|svg)$/;

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css',
  js: 'text/javascript',
  svg: 'image/svg+xml',
};

/** Serves the shop: its page, with the relay's address in it, and the relay's backlog. */
export async function startShop({ port, relayUrl, sandboxUrl, adminToken }: ShopOptions): Promise<Server> {
  const sendPage = async (response: ServerResponse) => {
    const html = await readFile(`${ROOT}demo/shop/index.html`, 'utf8');
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(html.replaceAll('{{RELAY_URL}}', relayUrl).replaceAll('{{SANDBOX_URL}}', sandboxUrl));
  };

  const sendBacklog = async (response: ServerResponse) => {
    const answer = await fetch(`${relayUrl}/admin/status`, {
      headers: { Authorization: `Bearer ${adminToken}` },
    });
    response.writeHead(answer.status, { 'Content-Type': 'application/json' });
    response.end(await answer.text());
  };

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://shop').pathname;
    const [, folder = 'demo/shop/', name, extension = ''] = FILE.exec(path) ?? [];
    const fail = () => response.writeHead(502).end();

    if (path === '/') sendPage(response).catch(fail);
    else if (path === '/relay-status') sendBacklog(response).catch(fail);
    else if (name !== undefined) {
      response.setHeader('Content-Type', `${TYPES[extension]}; charset=utf-8`);
      createReadStream(`${ROOT}${folder}${name}.${extension}`)
        .on('error', () => response.writeHead(404).end())
        .pipe(response);
    } else response.writeHead(404).end();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
