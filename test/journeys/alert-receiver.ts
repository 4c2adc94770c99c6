import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the receiver got it. */
type ReceivedMessage = { readonly path: string; readonly signature: string; readonly body: string };

/** A real receiver of alerts on this machine. */
export type AlertReceiver = {
  readonly url: string;
  /** Everything that has arrived since `forget`. */
  readonly got: () => readonly ReceivedMessage[];
  readonly forget: () => void;
  /** How it answers from now on. */
  readonly answer: (respond: (response: ServerResponse) => void) => void;
  readonly stop: () => void;
};

export async function startAlertReceiver(): Promise<AlertReceiver> {
  let got: ReceivedMessage[] = [];
  let respond = (response: ServerResponse): void => void response.end();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      const signature = `${request.headers['webengage-relay-signature']}`;
      got.push({ path: request.url ?? '', signature, body });
      respond(response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    got: () => got,
    forget: () => {
      got = [];
    },
    answer: (next) => {
      respond = next;
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
