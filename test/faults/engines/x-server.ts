import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { X_SERVER } from '../../webkit.ts';

async function startServer(): Promise<string> {
  // It finds a free number for itself and says which. Its frame buffer's folder marks it as one of this run's.
  const server = spawn(X_SERVER, ['-displayfd', '1', '-nolisten', 'tcp', '-fbdir', tmpdir()], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`${X_SERVER} ended with ${code}`)));
    server.stdout.once('data', (number: Buffer) => resolve(`:${number.toString().trim()}`));
  });
}

let display: Promise<string> | undefined;

/** A screen that nobody sees, as `DISPLAY` names it; one for all browsers of this process, ended with it. */
export function screen(): Promise<string> {
  display ??= startServer();
  return display;
}
