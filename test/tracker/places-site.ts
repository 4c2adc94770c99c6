import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventRecord } from '../../src/contract/record.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

async function serve(handler: Handler) {
  const server = createServer((request, response) => void handler(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

/** A fake relay on an origin of its own. It accepts everything, unless set otherwise, and keeps its requests. */
export async function fakeRelay() {
  const batches: {
    readonly origin: string | undefined;
    readonly token?: string;
    readonly records: readonly EventRecord[];
  }[] = [];
  let status = 202;
  let gate: Promise<unknown> = Promise.resolve();
  const { url, stop } = await serve(async (request, response) => {
    const { records, token } = JSON.parse(await bodyOf(request));
    batches.push({ origin: request.headers.origin, records, ...(token && { token }) });
    await gate;
    response.writeHead(status, { 'Access-Control-Allow-Origin': request.headers.origin ?? '*' });
    const answer = { response: { status: 'queued' }, accepted: records.length, duplicates: 0, rejected: [] };
    response.end(JSON.stringify(status === 202 ? answer : { error: { code: 'unavailable', message: '' } }));
  });
  return {
    url,
    stop,
    batches,
    names: () => batches.flatMap(({ records }) => records.map(({ eventName }) => eventName)),
    /** Answers with this status from now on. */
    answer: (next: number) => {
      status = next;
    },
    /** Lets requests come in and keeps their answers back until what this answers with is called. */
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}

const TYPES = { js: 'text/javascript', html: 'text/html' };

// What the package leaves to the site's bundler.
const PACKAGES = {
  '/idb-keyval.js': 'node_modules/idb-keyval/dist/index.js',
  '/valibot.js': 'node_modules/valibot/dist/index.mjs',
};

/** A site: files of `dist/` by their names, and what is given; every other path is a page of the same markup. */
export function fakeSite(files: Readonly<Record<string, string>>) {
  return serve(async ({ url = '/' }, response) => {
    const [path = '/'] = url.split('?');
    const isScript = path.endsWith('.js');
    const read = async () => {
      const file = PACKAGES[path as keyof typeof PACKAGES] ?? `dist${path}`;
      return (await readFile(file, 'utf8')).replaceAll(/from '(idb-keyval|valibot)'/g, "from '/$1.js'");
    };
    const body = files[path] ?? (isScript ? await read() : (files['/'] ?? ''));
    response.setHeader('Content-Type', TYPES[isScript ? 'js' : 'html']);
    response.end(body);
  });
}
