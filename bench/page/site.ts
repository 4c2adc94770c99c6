import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Batch } from '../../src/contract/batch.ts';

/** A site with one empty page and the tracker, and a stand-in for the relay on another origin. */
export type Site = {
  readonly url: string;
  /** Add a path to it for each tracker that needs its own buffer. */
  readonly relayUrl: string;
  /** Makes the relay answer 503 with this `Retry-After`. Undefined lets it take records again. */
  readonly pause: (retryAfterSeconds: number | undefined) => void;
  readonly stop: () => void;
};

async function listen(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return body;
}

export async function startSite(): Promise<Site> {
  let retryAfter: number | undefined;

  // Only answers like the relay: the bench measures the page.
  const relay = await listen(async (request, response) => {
    const { records } = JSON.parse(await bodyOf(request)) as Pick<Batch, 'records'>;
    response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
    response.setHeader('Access-Control-Expose-Headers', 'Retry-After');
    response.setHeader('Content-Type', 'application/json');
    if (retryAfter === undefined) {
      response.statusCode = 202;
      const answer = {
        response: { status: 'queued' },
        accepted: records.length,
        duplicates: 0,
        rejected: [],
        repaired: [],
        now: Date.now(),
      };
      response.end(JSON.stringify(answer));
    } else {
      response.statusCode = 503;
      response.setHeader('Retry-After', retryAfter);
      response.end(JSON.stringify({ error: { code: 'unavailable', message: 'paused' }, now: Date.now() }));
    }
  });

  const scripts: { readonly [path: string]: Buffer } = {
    '/tracker.js': readFileSync('dist/tracker.js'),
    '/amplitude.js': readFileSync(
      new URL(import.meta.resolve('@amplitude/analytics-browser/lib/scripts/amplitude-min.js')),
    ),
  };
  const page = `<!doctype html><meta charset="utf-8"><title>A site</title>
    <script src="/tracker.js" data-endpoint="${relay.url}"></script><script src="/amplitude.js"></script>`;
  const site = await listen((request, response) => {
    const script = scripts[request.url ?? ''];
    response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
    response.end(script ?? page);
  });

  return {
    url: site.url,
    relayUrl: relay.url,
    pause: (retryAfterSeconds) => {
      retryAfter = retryAfterSeconds;
    },
    stop: () => {
      site.stop();
      relay.stop();
    },
  };
}
