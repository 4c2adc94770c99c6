import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Interrupted, type Terminal, terminalOf } from '../../src/cli/terminal.ts';

/** A terminal with somebody at its keyboard, and all that its screen has shown. */
function played(isTTY = true): { terminal: Terminal; type: (keys: string) => void; screen: () => string } {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = Object.assign(new PassThrough(), { isTTY });
  let shown = '';
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  return {
    terminal: terminalOf(input, output),
    type: (keys) => void (isTTY ? input.write(keys) : input.end(keys)),
    screen: () => shown,
  };
}

test('a question is shown, and its answer is the typed text', async () => {
  const { terminal, type, screen } = played();

  const answer = terminal.ask('Who? ');
  type(' me \r');

  expect(await answer).toBe('me');
  expect(screen()).toContain('Who? ');
});

test('a secret is not shown, and the next answer is shown again', async () => {
  const { terminal, type, screen } = played();

  const secret = terminal.askSecret('Key: ');
  type('a-secret\r');
  expect(await secret).toBe('a-secret');
  const answer = terminal.ask('Who? ');
  type('me\r');

  expect(await answer).toBe('me');
  expect(screen()).toContain('Key: \n');
  expect(screen()).toContain('me');
  expect(screen()).not.toMatch(/secret/);
});

test.each([
  ['Ctrl-C', '\u0003'],
  ['Ctrl-D', '\u0004'],
])('%s instead of an answer ends the command', async (_, key) => {
  const { terminal, type } = played();

  const answer = terminal.ask('Who? ');
  const secret = answer.catch((error: unknown) => error);
  type(key);

  expect(await secret).toBeInstanceOf(Interrupted);
});

test('without a terminal the secret is read from the pipe', async () => {
  const { terminal, type, screen } = played(false);

  const secret = terminal.askSecret('Key: ');
  type('a-secret\n');

  expect(await secret).toBe('a-secret');
  expect(terminal.interactive).toBe(false);
  expect(screen()).toBe('');
});
