import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

// A stand-in for WebEngage, in a thread. It accepts every call after `workerData.latencyMs`, and posts its
// port once it listens. `GET /calls` returns the number of calls for each account.

const { latencyMs }: { latencyMs: number } = workerData;
const calls: { [account: string]: number } = {};

function answerTo(response: ServerResponse): void {
  response.writeHead(201, { 'Content-Type': 'application/json' });
  response.end('{"response":{"status":"queued"}}');
}

const server = createServer((request, response) => {
  if (request.url === '/calls') return response.end(JSON.stringify(calls));
  const account = request.url?.split('/')[3] ?? '';
  calls[account] = (calls[account] ?? 0) + 1;
  request.resume().once('end', () => {
    // A timer takes at least a millisecond.
    if (latencyMs === 0) answerTo(response);
    else setTimeout(answerTo, latencyMs, response);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
