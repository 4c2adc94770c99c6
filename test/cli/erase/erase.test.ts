import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { erase } from '../../../src/cli/erase/erase.ts';
import type { EraseOptions } from '../../../src/cli/erase/options.ts';
import { understood } from '../../fakes/cli/command-line.ts';

const TOKEN = 'an-admin-token-of-enough-characters';

const RECEIPT = {
  complete: true,
  erased: { waiting: 3, deadLetters: 1, violations: 0 },
  inFlight: 0,
  suppressedUntil: Date.parse('2026-12-08T12:00:00Z'),
  outboxes: 2,
  unanswered: [] as readonly string[],
  upstream: null as null | { readonly id: string; readonly filed: boolean; readonly status: number },
};

type Answer = { readonly status?: number; readonly receipt?: Partial<typeof RECEIPT> };

let close: () => void = () => undefined;

afterEach(() => close());

/** A relay that gives these answers, one after the other, and the last one for ever. */
async function relay(...answers: readonly Answer[]) {
  const asked: { url: string; authorization: string; body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? {};
    asked.push({
      url: request.url ?? '',
      authorization: request.headers.authorization ?? '',
      body: JSON.parse(body),
    });
    response.statusCode = answer.status ?? 200;
    response.end(JSON.stringify({ ...RECEIPT, ...answer.receipt }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  close = () => server.close();
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function run(
  options: Partial<EraseOptions>,
  piped: string | Buffer = '',
  env: Record<string, string> = { ADMIN_TOKEN: TOKEN },
) {
  let [said, complained] = ['', ''];
  const code = await erase(
    { relay: 'http://127.0.0.1:9', tokenEnv: 'ADMIN_TOKEN', ...options },
    {
      env,
      say: (line) => {
        said += `${line}\n`;
      },
      complain: (line) => {
        complained += `${line}\n`;
      },
      stdin: Readable.from([piped]),
    },
  );
  return { code, said, complained };
}

test('the receipt is printed, and the id is only in the body of the request', async () => {
  const { url, asked } = await relay({});

  const { code, said, complained } = await run({ relay: url, userId: 'johndoe' });

  expect([code, complained]).toEqual([0, '']);
  expect(said).toBe(
    'erased: 3 waiting records, 1 dead letter; 2 outboxes answered\nrefused until: 2026-12-08T12:00:00.000Z\n',
  );
  expect(asked).toEqual([
    { url: '/admin/erase', authorization: `Bearer ${TOKEN}`, body: { userId: 'johndoe' } },
  ]);
});

test('the flags become fields of the request', async () => {
  const { url, asked } = await relay({});

  await run({ relay: url, userId: 'a', upstream: true });
  await run({ relay: url, anonymousId: 'b', lift: true });

  expect(asked.map(({ body }) => body)).toEqual([
    { userId: 'a', upstream: true },
    { anonymousId: 'b', lift: true },
  ]);
});

test('ids of standard input are erased line by line, and printed by the number of their line', async () => {
  const { url, asked } = await relay({});

  const { code, said } = await run({ relay: url, userId: '-', json: true }, 'ada lovelace\r\n\n-\n');

  expect(code).toBe(0);
  expect(asked.map(({ body }) => body)).toEqual([{ userId: 'ada lovelace' }, { userId: '-' }]);
  expect(
    said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { line: 1, ...RECEIPT },
    { line: 3, ...RECEIPT },
  ]);
});

test('a byte order mark is no part of the first id', async () => {
  const { url, asked } = await relay({});

  await run({ relay: url, userId: '-' }, Buffer.from('\uFEFFjohndoe\r\nada\r\n'));

  expect(asked.map(({ body }) => body)).toEqual([{ userId: 'johndoe' }, { userId: 'ada' }]);
});

test.each<[string, BufferEncoding, string]>([
  ['Latin-1', 'latin1', 'müller'],
  ['UTF-16', 'utf16le', 'johndoe'],
  ['UTF-16 with a byte order mark', 'utf16le', '\uFEFFjohndoe'],
])('a list in %s is refused: its receipts would be about nobody', async (_, encoding, id) => {
  const { url, asked } = await relay({});

  const { code, complained } = await run({ relay: url, userId: '-' }, Buffer.from(`${id}\n`, encoding));

  expect([code, complained]).toEqual([1, 'line 1: the id is not UTF-8: save the list as UTF-8\n']);
  expect(asked).toEqual([]);
});

test.each<[string, Partial<typeof RECEIPT>, number, string]>([
  [
    'an outbox that has not answered',
    { complete: false, outboxes: 1, unanswered: ['2/1'] },
    1,
    'no answer from: 2/1',
  ],
  [
    'a request that WebEngage did not take',
    { complete: false, upstream: { id: 'x', filed: false, status: 403 } },
    1,
    'WebEngage: the request was not filed: status 403',
  ],
  [
    'a filed request',
    { upstream: { id: 'x-1', filed: true, status: 201 } },
    0,
    'WebEngage: request x-1 is filed',
  ],
  ['a call in flight', { inFlight: 2 }, 0, 'in flight: 2 records may have reached WebEngage'],
])('%s is named, and the exit code says whether to repeat', async (_, receipt, exitCode, text) => {
  const { url } = await relay({ receipt });

  const { code, said, complained } = await run({ relay: url, userId: 'johndoe' });

  expect(said).toContain(text);
  expect(code).toBe(exitCode);
  expect(complained).toBe(exitCode === 0 ? '' : 'not complete: run the same command again\n');
  expect(said + complained).not.toContain('johndoe');
});

test('one person who is not erased completely does not keep the others from it', async () => {
  const { url, asked } = await relay({ receipt: { complete: false, unanswered: ['1/0'] } }, {});

  const { code } = await run({ relay: url, userId: '-' }, 'a\nb\n');

  expect([code, asked.length]).toEqual([1, 2]);
});

describe('no id and no token is in an error', () => {
  test.each([
    [404, 'ADMIN_TOKEN'],
    [503, '/health'],
  ])('at an answer of %d', async (status, remedy) => {
    const { url } = await relay({ status });

    const { code, said, complained } = await run({ relay: url, userId: '-' }, 'johndoe\nada\n');

    expect([code, said]).toEqual([1, '']);
    expect(complained).toMatch(/^line 1: the relay answers/);
    expect(complained).toContain(remedy);
    expect(complained).not.toMatch(/johndoe|ada$/);
    expect(complained).not.toContain(TOKEN);
  });

  test('without an answer', async () => {
    const { code, complained } = await run({ userId: 'johndoe' });

    expect([code, complained]).toEqual([
      1,
      'no answer from http://127.0.0.1:9: the person may be erased in part. Run the same command again\n',
    ]);
  });

  test('of an id that no record can have', async () => {
    const { code, complained } = await run({ userId: 'x'.repeat(101) });

    expect([code, complained]).toEqual([1, 'the id must have 1 to 100 characters\n']);
  });
});

test.each<[string, Partial<EraseOptions>, Record<string, string>, string]>([
  ['no token', { userId: 'a' }, {}, 'the variable ADMIN_TOKEN is not set'],
  [
    'a token with a line break',
    { userId: 'a' },
    { ADMIN_TOKEN: 'a\nb' },
    'ADMIN_TOKEN must be printable ASCII',
  ],
  [
    'plain http',
    { userId: 'a', relay: 'http://t.example.com' },
    { ADMIN_TOKEN: TOKEN },
    'only sent over https',
  ],
  ['no ids', { userId: '-' }, { ADMIN_TOKEN: TOKEN }, 'standard input contains no id'],
])('%s ends with 2, before any request', async (_, options, env, message) => {
  const { code, complained } = await run(options, '', env);

  expect(code).toBe(2);
  expect(complained).toContain(message);
});

describe('the command line', () => {
  const RELAY = ['erase', '--relay', 't.example.com'];

  test('is understood', async () => {
    expect(await understood([...RELAY, '--user-id', 'a', '--upstream', '--json'])).toMatchObject({
      command: 'erase',
      options: {
        relay: 'https://t.example.com',
        userId: 'a',
        upstream: true,
        json: true,
        tokenEnv: 'ADMIN_TOKEN',
      },
    });
    expect(await understood([...RELAY, '--anonymous-id', '-', '--lift', '--token-env', 'T'])).toMatchObject({
      options: { anonymousId: '-', lift: true, tokenEnv: 'T' },
    });
  });

  test.each([
    [['erase', '--user-id', 'a'], '--relay'],
    [RELAY, '--user-id or --anonymous-id'],
    [[...RELAY, '--user-id', 'secret-a', '--anonymous-id', 'secret-b'], 'one of the two'],
    [[...RELAY, '--anonymous-id', 'secret-a', '--upstream'], '--upstream needs --user-id'],
    [[...RELAY, '--user-id', 'secret-a', '--upstream', '--lift'], '--lift erases nothing'],
    [[...RELAY, '--user-id', 'a', '--token', 'secret-t'], 'there is no --token'],
  ])('with a mistake ends with 2, and repeats no id: %j', async (args, message) => {
    const { code, command, complained } = await understood(args);

    expect([code, command]).toEqual([2, undefined]);
    expect(complained).toContain(message);
    expect(complained).not.toContain('secret-');
  });
});
