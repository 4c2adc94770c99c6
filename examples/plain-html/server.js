import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const RELAY = 'http://localhost:8787';

// No inline script but the tracker's first line, by its hash.
const POLICY = [
  `default-src 'none'`,
  `script-src 'self' 'sha256-jQVdZLN7G5LUf1l8BCJeKVhX36Kjin2OmBFWoRr1o5U=' ${RELAY}`,
  `connect-src ${RELAY}`,
  `img-src data:`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
  `require-trusted-types-for 'script'`,
  `trusted-types 'none'`,
].join('; ');

const FILES = {
  '/': { name: 'index.html', type: 'text/html' },
  '/mug': { name: 'mug.html', type: 'text/html' },
  '/shop.js': { name: 'shop.js', type: 'text/javascript' },
};

createServer(async ({ url }, response) => {
  const file = FILES[url];
  if (file === undefined) return response.writeHead(404).end();
  const body = await readFile(new URL(file.name, import.meta.url));
  response.writeHead(200, { 'Content-Type': file.type, 'Content-Security-Policy': POLICY }).end(body);
}).listen(process.env.PORT ?? 3000);
