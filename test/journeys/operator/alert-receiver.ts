import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A message as it arrived. */
type Message = { readonly path: string; readonly signature: string; readonly body: string };

type Answer = (response: ServerResponse) => void;

/** A real receiver of alerts on this machine. */
export type AlertReceiver = {
  readonly url: string;
  /** What has arrived since the last `reset`. */
  readonly got: () => readonly Message[];
  /** From now on it answers like this: 200 by default. */
  readonly answerBy: (answer: Answer) => void;
  /** Forgets what has arrived, and answers 200 again. */
  readonly reset: () => void;
  readonly stop: () => void;
};

export async function startAlertReceiver(): Promise<AlertReceiver> {
  const accept: Answer = (response) => response.end();
  let got: Message[] = [];
  let answer: Answer = accept;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const signature = `${request.headers['webengage-relay-signature']}`;
    got.push({ path: request.url ?? '', signature, body });
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    got: () => got,
    answerBy: (next) => {
      answer = next;
    },
    reset: () => {
      got = [];
      answer = accept;
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
