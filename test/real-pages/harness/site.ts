import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A site of pages that tests make up, and of the modules of this package. */
export type Site = {
  readonly url: string;
  /** Puts a page there; answers with its path, which is its alone. */
  readonly addPage: (html: string) => string;
  /** Puts a script there; answers with its path. */
  readonly addScript: (code: string) => string;
  /** Answers a request as this site does, for another server that has its pages. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly stop: () => void;
};

/** A page without a tracker. */
export const QUIET_PATH = '/quiet';

// What the package leaves to the site's bundler.
const PACKAGES: Readonly<Record<string, string>> = {
  'idb-keyval': 'node_modules/idb-keyval/dist/index.js',
  valibot: 'node_modules/valibot/dist/index.mjs',
};

async function moduleText(path: string): Promise<string> {
  const name = path.slice(1).replace(/\.js$/, '');
  const text = await readFile(PACKAGES[name] ?? path.slice(1), 'utf8');
  return text.replaceAll(/from ?(['"])(idb-keyval|valibot)\1/g, "from '/$2.js'");
}

export async function startSite(): Promise<Site> {
  const made = new Map<string, { readonly type: string; readonly text: string }>();

  const add = (type: string, ending: string) => (text: string) => {
    const path = `/made-${made.size + 1}${ending}`;
    made.set(path, { type, text });
    return path;
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const there = made.get(path);
    if (there !== undefined) {
      response.writeHead(200, { 'Content-Type': there.type, 'Cache-Control': 'no-store' });
      return void response.end(there.text);
    }
    if (path.endsWith('.js')) {
      response.writeHead(200, { 'Content-Type': 'text/javascript' });
      return void response.end(await moduleText(path));
    }
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html><link rel="icon" href="data:,"><title>A page without a tracker</title>');
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(404).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    addPage: add('text/html;charset=utf-8', ''),
    addScript: add('text/javascript;charset=utf-8', '.js'),
    answer,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
