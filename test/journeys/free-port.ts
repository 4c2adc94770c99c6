import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { isTaken } from '../../src/cli/dev/ports.ts';

// Below the ports that a system gives to sockets that ask for any port: from 32,768 on Linux, and 49,152 on macOS and
// Windows. Such a socket can't take a port between its choice and its use.
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;

/** Listens on a port. Returns undefined if another process does. */
async function listenOn(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined; // In use.
  }
}

/**
 * A port of this machine that nobody listens on. No other caller gets it while this process lives.
 * The port after it claims it: this process listens there, and other processes choose another pair.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + 2 * Math.floor((Math.random() * (LAST_PORT - FIRST_PORT)) / 2);
    const claim = await listenOn(port + 1);
    if (claim && !(await isTaken(port))) {
      // The claim must not keep the process alive.
      claim.unref();
      return port;
    }
    claim?.close();
  }
}
