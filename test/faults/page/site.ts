import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { README_STUB } from '../../readme-stub.ts';
import { BARE_PATH } from '../flaky-proxy.ts';
import type { Events } from './in-page.ts';
import { keepPageEvents, obeyFrame, showFrame, trackAtOnce, trackInFirstTask } from './page-parts.ts';
import { type Trouble, troubleScript } from './page-troubles.ts';

/** A page of the site. What is left out is as on a good day. */
export type PageOptions = {
  readonly troubles?: readonly Trouble[];
  readonly maxWaitMs?: number;
  readonly requestsPerMinute?: number;
  readonly burst?: number;
  /** Made by the page itself, before its tracker has loaded. */
  readonly events?: Events;
  /** Made by the page in the first task that has a tracker, which tells the site when their promises resolve. */
  readonly inFirstTask?: Events;
  /** By this machine's name in its network, over http: what browsers call insecure. The endpoint is the site itself. */
  readonly insecure?: boolean;
  /** In a sandboxed frame: without an origin, so without any storage. */
  readonly framed?: boolean;
  /** For the pages with `clockCanBeOff`: by how much it is, from the start. */
  readonly clockOffMs?: number;
  /** Tells one page from the next. */
  readonly page?: number;
};

/** A site whose pages load the tracker by its script tag, from the site's own copy. */
export type Site = {
  readonly pageUrl: (options: PageOptions) => string;
  /** A page without a tracker, of the same origin. */
  readonly quietUrl: string;
  /** A page without a tracker that sends one request as it is left, as any page may. */
  readonly bareUrl: string;
  /** A page of another site. */
  readonly elsewhereUrl: string;
  /** How often it has served what lies there. */
  readonly served: (url: string) => number;
  /** Resolves when a page next begins its `inFirstTask`. */
  readonly begun: () => Promise<void>;
  /** The numbers of the calls that pages have reported as durable. */
  readonly kept: () => readonly number[];
  /** What was thrown into its pages, and caught by nobody. */
  readonly thrown: () => readonly string[];
  readonly reset: () => void;
  readonly stop: () => void;
};

// A pace that no scenario waits for, unless it is about the pace.
const QUICK = { requestsPerMinute: 500, burst: 20 };

/** This machine's address in its network; undefined where it is in none. */
export const NETWORK_ADDRESS: string | undefined = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

function page(endpoint: string, options: PageOptions): string {
  const { troubles = [], maxWaitMs = 1_000, events, inFirstTask } = options;
  const { requestsPerMinute, burst } = { ...QUICK, ...options };
  return `<!doctype html><meta charset="utf-8"><title>A site</title>
    ${README_STUB}
    <script>(${keepPageEvents})(); ${troubleScript(troubles)}
      ${options.clockOffMs === undefined ? '' : `setClockOff(${options.clockOffMs});`}
      ${options.framed ? `(${obeyFrame})();` : ''}
      ${events === undefined ? '' : `(${trackAtOnce})(${JSON.stringify(events)});`}</script>
    <a href="/?{}">link</a> <form action="/"><button name="sent" value="yes">send</button></form>
    <script ${inFirstTask ? '' : 'async'} src="/tracker.js" data-endpoint="${endpoint}" data-max-wait-ms="${maxWaitMs}"
      data-requests-per-minute="${requestsPerMinute}" data-burst="${burst}"></script>
    ${inFirstTask ? `<script>(${trackInFirstTask})(${JSON.stringify(inFirstTask)})</script>` : ''}`;
}

async function passOn(request: IncomingMessage, response: ServerResponse, to: string): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { origin = '', 'content-type': type = '' } = request.headers;
  const answer = await fetch(`${to}${request.url}`, {
    method: 'POST',
    headers: { Origin: origin, 'Content-Type': type },
    body: Buffer.concat(chunks),
  });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(await answer.text());
}

/** @param endpoint where its pages send to */
export async function openSite(endpoint: string): Promise<Site> {
  const script = await readFile('dist/tracker.js');
  let thrown: string[] = [];
  let served: string[] = [];
  let kept: number[] = [];
  let begin = () => {};

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url ?? '/', 'http://site');
    if (pathname === '/v1/batch') return passOn(request, response, endpoint);
    served.push(`${pathname}${search}`);
    response.setHeader('Content-Type', pathname === '/tracker.js' ? 'text/javascript' : 'text/html');
    switch (pathname) {
      case '/tracker.js':
        return void response.end(script);
      case '/thrown':
        thrown.push(decodeURIComponent(search.slice(1)));
        return void response.end();
      case '/begun':
        begin();
        return void response.end();
      case '/kept':
        kept.push(Number(search.slice(1)));
        return void response.end();
      case '/clear':
        response.setHeader('Clear-Site-Data', '"storage"');
        return void response.end();
      case '/': {
        const options: PageOptions = search.startsWith('?%7B')
          ? JSON.parse(decodeURIComponent(search.slice(1)))
          : {};
        const own = options.insecure ? `http://${request.headers.host}` : endpoint;
        return void response.end(page(own, options));
      }
      case '/bare':
        return void response.end(`<!doctype html><title>A page without a tracker</title>
          <script>addEventListener('pagehide', () =>
            fetch('${endpoint}${BARE_PATH}', { method: 'POST', body: 'bare', keepalive: true }))</script>`);
      case '/frame':
        return void response.end(`<!doctype html><title>A frame</title><iframe sandbox="allow-scripts"
          src="/${search}"></iframe><script>(${showFrame})()</script>`);
      default:
        return void response.end('<!doctype html><title>A page without a tracker</title>');
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  }).listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ownUrl = `http://127.0.0.1:${port}`;
  const hostOf = ({ insecure = false }: PageOptions) =>
    insecure ? `http://${NETWORK_ADDRESS}:${port}` : ownUrl;
  return {
    pageUrl: (options) =>
      `${hostOf(options)}/${options.framed ? 'frame' : ''}?${encodeURIComponent(JSON.stringify(options))}`,
    quietUrl: `${ownUrl}/quiet`,
    bareUrl: `${ownUrl}/bare`,
    // The same machine under another name: another site to any browser.
    elsewhereUrl: `http://localhost:${port}/elsewhere`,
    served: (url) => served.filter((path) => url.endsWith(path)).length,
    begun: () =>
      new Promise((resolve) => {
        begin = resolve;
      }),
    kept: () => kept,
    thrown: () => thrown,
    reset: () => {
      thrown = [];
      served = [];
      kept = [];
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
