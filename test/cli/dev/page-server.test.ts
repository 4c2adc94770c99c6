import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { servePage } from '../../../src/cli/dev/page-server.ts';
import { freePort } from '../../journeys/free-port.ts';

let port: number;
let page: Awaited<ReturnType<typeof servePage>>;

beforeEach(async () => {
  port = await freePort();
  page = await servePage('<p>Here</p>', port);
});

afterEach(() => page.stop());

/** What is answered to a path to the letter: `fetch` would put it in order first. */
async function answerTo(path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: page\r\nConnection: close\r\n\r\n`);
  return text(socket);
}

test('the page is served, and nothing else is', async () => {
  expect(await answerTo('/')).toMatch(/^HTTP\/1\.1 200 [\s\S]*<p>Here<\/p>/);
  expect(await answerTo('/?from=mail')).toMatch(/^HTTP\/1\.1 200 /);
  expect(await answerTo('/favicon.ico')).toMatch(/^HTTP\/1\.1 404 /);
});

test.each(['//', '///evil.example', '/%', '*', 'http://'])(
  'the invalid address %s ends nothing',
  async (path) => {
    expect(await answerTo(path)).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(await answerTo('/')).toMatch(/^HTTP\/1\.1 200 /);
  },
);
